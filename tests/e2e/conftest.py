"""One real stack for all end-to-end tests: two engines with the pocket model under Ray, and the router.

A start costs one to two minutes and 8 GB, so it is shared. A test that stops or kills a part of it is marked
`disruptive`, which puts it last, and leaves the fleet whole again (`wait_until_whole`).
"""

from collections.abc import Iterator

import pytest

from deploy.local import Options, Stack
from deploy.processes import of_run
from tests.e2e.asking import Asker, asking
from tests.e2e.fleet import Fleet

REPLICAS = 2


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The running stack. That nothing of it is left in the end is asserted too."""
    stack = Stack(
        Options(replicas=REPLICAS, folder=tmp_path_factory.mktemp("stack")), tell=lambda doing, passed_s: None
    )
    try:
        stack.start()
        yield Fleet(stack)
        stack.check()
    finally:
        stack.stop()
    assert [] == stack.left_behind
    assert [] == of_run(stack.run)


@pytest.fixture
def engine_url(fleet: Fleet) -> str:
    """One engine's own address, past the router."""
    return fleet.engines()[0].url


@pytest.fixture
def ask(fleet: Fleet) -> Iterator[Asker]:
    """A client of the router."""
    with asking(fleet) as asker:
        yield asker
