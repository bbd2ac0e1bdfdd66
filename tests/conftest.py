import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import postgres
from tests.postgres import Postgres

# behind everything else, the longest last; Ray alone before the stack that they share, as its agents have one port
ORDER = ("tests/chaos", "tests/e2e/test_ray_door", "tests/e2e")

# How long an example takes says more of the machine than of what is tested. In CI the examples are the same each time.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs whole stacks comes after what does not, and what breaks engines comes last."""
    items.sort(key=lambda item: (_stage(item), item.get_closest_marker("disruptive") is not None))


def _stage(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((number for number, part in enumerate(ORDER, 1) if part in path), 0)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL cluster of the session's own."""
    with postgres.running() as running:
        yield running
