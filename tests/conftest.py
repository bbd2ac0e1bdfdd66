import gc
import os
import warnings
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


def pytest_unconfigure() -> None:
    """Libraries that count what is left of theirs at the end are not to complain."""
    gc.unfreeze()


def _stage(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((number for number, part in enumerate(ORDER, 1) if part in path), 0)


@pytest.fixture(scope="module", autouse=True)
def what_stays_is_left_alone() -> None:
    """Before each file, what has come before it is taken out of the collector's sight.

    Ten thousand tests, what they import and what is noted of them stay to the end, millions of objects. Whenever the
    collector looks at them all, everything in this process stands still for a second or two: servers that tests run for
    others, clients, and the clocks that both are held to.

    What the files before have left open is closed here without a word: it would be held against this one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL cluster of the session's own."""
    with postgres.running() as running:
        yield running
