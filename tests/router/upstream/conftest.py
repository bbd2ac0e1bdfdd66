"""Event loops for the tests of upstream/.

Tests that take `run` run on asyncio's loop, where timers can be counted, and on uvloop, as in production. Tests of
clocks take `run_in_time`: asyncio's loop with a clock that the test puts forward, so that nothing depends on how busy
the machine is.
"""

import pytest

from tests.router.upstream.support import LOOPS, Run, WatchfulLoop, run_on


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Run:
    return run_on(LOOPS[request.param])


@pytest.fixture
def run_in_time() -> Run:
    return run_on(WatchfulLoop)
