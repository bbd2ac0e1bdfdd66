"""What the tests of upstream/ share: attempts at a URL, and event loops that leave nothing behind."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

import uvloop

from router.policy.attempt import Attempt
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines

POOL = Pool(name="pool", model="m", upstream_model="m")
PATH = "/v1/chat/completions"
BODY = b'{"model":"m"}'
LIMITS = Deadlines(connect_s=5, first_token_s=60, idle_s=30, total_s=600)
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Run = Callable[[Coroutine[Any, Any, None]], None]


def attempt_at(url: str, deadlines: Deadlines = LIMITS) -> Attempt:
    """The first attempt of a request, at an endpoint with this base URL."""
    return Attempt(1, POOL, Endpoint(EndpointId("e"), url), deadlines)


class WatchfulLoop(asyncio.SelectorEventLoop):
    """Remembers its timers, to tell which are still to come. Its clock can be put forward."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        super().__init__()
        self._timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return super().time() + self._ahead_s

    def put_forward(self, seconds: float) -> None:
        self._ahead_s += seconds

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = super().call_at(when, callback, *args, context=context)
        self._timers.append(timer)
        return timer

    def pending_timers(self) -> list[asyncio.TimerHandle]:
        now = self.time()
        return [timer for timer in self._timers if not timer.cancelled() and timer.when() > now]


async def pass_time(seconds: float) -> None:
    """Let so much time pass at once, and whatever is due then happen. Only on a WatchfulLoop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WatchfulLoop)
    loop.put_forward(seconds)
    for _ in range(20):
        await asyncio.sleep(0)


async def nothing_else_runs() -> None:
    """Assert that this task is the only one and, on a WatchfulLoop, that no timer is left."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert set() == others
    loop = asyncio.get_running_loop()
    if isinstance(loop, WatchfulLoop):
        assert [] == loop.pending_timers()


def run_on(factory: Callable[[], asyncio.AbstractEventLoop]) -> Run:
    """A runner that also checks that what it ran left no task and no timer."""

    async def checked(main: Coroutine[Any, Any, None]) -> None:
        await main
        await nothing_else_runs()

    def run(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(checked(main))

    return run


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": WatchfulLoop,
    "uvloop": uvloop.new_event_loop,
}


async def soon(happened: Awaitable[T]) -> T:
    """Wait for something that must happen at once; a test that hangs is a failure with a name."""
    async with asyncio.timeout(20):
        return await happened
