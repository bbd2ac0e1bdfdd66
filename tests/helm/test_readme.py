"""README.md and the schema are what values.yaml says, and every value is explained."""

import pytest
import yaml

from deploy.chart import readme, schema, values_file
from deploy.chart.values_file import VALUES
from tests.helm.render import CHART, SHAPES

VALUES_READ = values_file.read()


def test_the_readme_is_current() -> None:
    assert 0 == readme.main(["--check"]), "run `make chart-docs`"


def test_the_schema_is_current() -> None:
    assert 0 == schema.main(["--check"]), "run `make chart-docs`"


def test_every_value_is_explained() -> None:
    assert [] == [value.name for value in VALUES_READ if not (value.is_section or value.text)]


def test_every_value_has_its_row_and_no_other_has() -> None:
    text = (CHART / "README.md").read_text()

    rows = [
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `") and "/" not in line.split("`")[1]
    ]
    in_table = rows[rows.index("nameOverride") :]
    assert [value.name for value in VALUES_READ if not value.is_section] == in_table


def test_defaults_are_those_of_the_file() -> None:
    whole = yaml.safe_load(VALUES.read_text())
    for value in VALUES_READ:
        found = whole
        for key in value.path:
            found = found[key]
        assert value.default == found, value.name


def test_every_shape_begins_with_what_it_is_for_and_what_it_needs() -> None:
    for file in SHAPES:
        head = file.read_text().partition("\n\n")[0] + file.read_text()[:1000]
        assert head.startswith("# "), file.name
        assert "Needs " in head, file.name


def test_the_schema_is_closed_wherever_it_names_keys_and_asks_nothing_of_the_network() -> None:
    made = schema.build(VALUES_READ)

    # a choice by a key names that key alone: the rest is in the schema that it leads to
    named = [(path, part) for path, part in _parts(made, "") if "properties" in part and not path.endswith("/if")]
    opened = [path for path, part in named if part.get("additionalProperties", True) and not _chooses(part)]
    references = [part["$ref"] for _, part in _parts(made, "") if isinstance(part.get("$ref"), str)]
    assert [] == opened
    assert all(reference.startswith("#/definitions/") for reference in references)
    assert {reference.removeprefix("#/definitions/") for reference in references} <= set(made["definitions"])


def test_the_schema_is_small_enough_for_a_release() -> None:
    assert (CHART / "values.schema.json").stat().st_size < 300_000


def test_a_value_that_only_a_person_can_decide_is_not_guessed(tmp_path: pytest.TempPathFactory) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("things: []\n")

    with pytest.raises(schema.Undecided, match=r"things: say in deploy/chart/kinds.py what it may hold"):
        schema.build([*values_file.read(file)])


def _chooses(part: dict[str, object]) -> bool:
    branches = part.get("allOf")
    return isinstance(branches, list) and all("then" in branch for branch in branches)


def _parts(part: object, path: str) -> list[tuple[str, dict[str, object]]]:
    if isinstance(part, dict):
        below = [found for key, value in part.items() for found in _parts(value, f"{path}/{key}")]
        return [(path, part), *below]
    if isinstance(part, list):
        return [found for number, value in enumerate(part) for found in _parts(value, f"{path}/{number}")]
    return []
