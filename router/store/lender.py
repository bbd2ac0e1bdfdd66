"""Gets this router's share of budgets from the database: for requests that wait for it, and ahead of them.

One thing is said to the database at a time, and its answer told to the allowances before the next (see
policy/allowance). Requests that run short meanwhile are asked for together: they are owed no more than the dearest of
them needs, because what a budget may be overdrawn by is one request's estimate, not the sum of all that happen to wait.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from router.policy.allowances import Allowances, together
from router.policy.key import Window
from router.policy.lending import Grant, Want
from router.store.away import DatabaseAway

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LenderSettings:
    """How a router shares budgets with others. Raises ValueError, beginning with the field's name."""

    ttl_s: float = 60.0  # a router that is silent for so long is taken for dead, and what it holds is free again
    every_s: float = 5.0  # between renewals, which also give back what lies idle
    wait_s: float = 2.0  # that a request may wait for its budget; any healthy database answers in a tenth of it

    def __post_init__(self) -> None:
        if not 0 < self.every_s < self.ttl_s / 2:
            raise ValueError(f"every_s must be above 0 and below half of ttl_s ({self.ttl_s}), got {self.every_s}")
        if not self.wait_s > 0:
            raise ValueError(f"wait_s must be above 0 seconds, got {self.wait_s}")


class Leases(Protocol):
    """The database's side. All raise DatabaseAway."""

    async def borrow(self, router: str, wants: Sequence[Want], ttl_s: float) -> list[Grant]: ...
    async def renew(self, router: str, ttl_s: float) -> dict[Window, int]: ...
    async def give_back(self, router: str, amounts: Mapping[Window, int]) -> None: ...
    async def retire(self, router: str) -> None: ...


class Lender:
    """One per router; `run` beside the requests.

    Args:
        leases: the database's.
        allowances: what this router holds.
        router: its boot id.
        settings: how often, how long.
        clock: monotonic seconds.
        wall_clock: unix seconds.
    """

    def __init__(
        self,
        leases: Leases,
        allowances: Allowances,
        router: str,
        settings: LenderSettings,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._leases = leases
        self._allowances = allowances
        self._router = router
        self._settings = settings
        self._clock = clock
        self._wall_clock = wall_clock
        self._turn = asyncio.Lock()  # one thing at a time
        self._waiting: list[tuple[Sequence[Want], asyncio.Future[bool]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._low = asyncio.Event()
        self._gone: list[str] = []
        self.borrowings = 0  # transactions, for metrics
        self.failures = 0  # of them, and of renewals: the database was away
        allowances.on_low = self._low.set

    async def borrow(self, wants: Sequence[Want]) -> bool:
        """Get more for a request that runs short. False: the database could not be asked in time."""
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((wants, answered))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.wait_s):
                return await answered
        return False

    def gone(self, router: str) -> None:
        """A dead router's rows are all written: what it held beyond them is free."""
        self._gone.append(router)

    async def run(self) -> None:
        """Renew, give back and borrow ahead, until cancelled; then give back what is not in use."""
        try:
            while True:
                await self._tend()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.every_s):
                        while True:
                            await self._low.wait()
                            self._low.clear()
                            await self._try(self._allowances.refills(self._clock()))
        finally:
            if self._asking is not None:
                self._asking.cancel()
                await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        """For all that wait, again and again until nobody does."""
        while self._waiting:
            async with self._turn:  # those that come while it is another's turn are asked for together
                waiting, self._waiting = self._waiting, []
                is_done = await self._transact([want for wants, _ in waiting for want in wants])
            for _, answered in waiting:
                if not answered.done():
                    answered.set_result(is_done)

    async def _try(self, wants: Sequence[Want]) -> None:
        if wants:
            async with self._turn:
                await self._transact(wants)

    async def _transact(self, wants: Sequence[Want]) -> bool:
        self.borrowings += 1
        try:
            grants = await self._leases.borrow(self._router, together(wants), self._settings.ttl_s)
        except DatabaseAway as away:
            self.failures += 1
            logger.warning("budgets cannot be borrowed: %s", away)
            return False
        now = self._clock()
        for grant in grants:
            self._allowances.granted(grant, now)
        return True

    async def _tend(self) -> None:
        try:
            async with self._turn:
                surplus = self._allowances.surplus(self._clock(), self._wall_clock())
                if surplus:
                    await self._leases.give_back(self._router, surplus)
                if self._allowances.held or surplus:
                    held = await self._leases.renew(self._router, self._settings.ttl_s)
                    self._allowances.renewed(held, self._clock())
            while self._gone:
                await self._leases.retire(self._gone[0])
                del self._gone[0]
        except DatabaseAway as away:
            self.failures += 1
            logger.warning("leases cannot be renewed: %s", away)
