"""Where requests wait for their turn: before every endpoint is less than saturated, or before the first one is up.

Who goes next is decided by the pool's fair queue; here is only the waiting. While anybody waits, a task looks every
few milliseconds whether there is room, and calls one at a time: the called one takes its place in the load ledger
before the next is looked at. A request that gives up (its time is over, its client has left) leaves the queue at
once, and no engine hears of it.

Requests of a former configuration wait beside those of the current one, in the same queue where the pool is the same:
one task calls them all, so that two never fill one place. Whether there is room is for the latest to say.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from router.policy.fair_queue import Ticket
from router.policy.route import Clock, Rules, Wait, has_room

TICK_S = 0.01  # well below one step of an engine's batch


class Lobby:
    """One per router."""

    def __init__(self, clock: Clock, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._waiting: dict[Ticket, tuple[Rules, str, asyncio.Future[None]]] = {}  # with the pool's name
        self._usher: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, wait: Wait, rules: Rules) -> None:
        """Return when the ticket was called, or when its time is over. `rules`: whose queue it is in."""
        called = asyncio.get_running_loop().create_future()
        self._waiting[wait.ticket] = rules, wait.pool.name, called
        if self._usher is None or self._usher.done():
            self._usher = asyncio.create_task(self._call())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait.longest_s):
                    await called
        finally:
            del self._waiting[wait.ticket]
            rules.queue(wait.pool.name).remove(wait.ticket)

    async def _call(self) -> None:
        """Call whoever's turn it is until nobody waits."""
        while self._waiting:
            lines = {rules.queue(pool): (pool, rules) for rules, pool, _ in self._waiting.values()}
            for queue, (pool, rules) in lines.items():
                while has_room(pool, rules, self._clock()):
                    ticket = queue.pop(self._clock())
                    if ticket is None:
                        break
                    waiting = self._waiting.get(ticket)
                    if waiting is not None and not waiting[2].done():
                        waiting[2].set_result(None)
                    await asyncio.sleep(0)  # it goes on now, and takes its place
            await self._sleep(TICK_S)
