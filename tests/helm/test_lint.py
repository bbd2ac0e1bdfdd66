"""`helm lint --strict` has nothing against any shape, and `helm template` is not refused any."""

from tests.helm.render import CHART, run
from tests.helm.shapes import Shape, every_shape


@every_shape
def test_lint_has_nothing_against_a_shape(shape: Shape) -> None:
    said = run("lint", "--strict", str(CHART), "--values", str(shape.file), *shape.arguments())

    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert [] == [line for line in said.splitlines() if line.startswith(("[WARNING]", "[ERROR]"))]


@every_shape
def test_a_shape_makes_something(shape: Shape) -> None:
    assert len(shape.objects()) > 5
