"""One fetch that any number of requests wait for. It goes on until it is over or nobody waits any more.

Every waiter has a budget of bytes, the request's, which shrinks as bytes arrive: who cannot pay for what has come fails
at once, and the others go on.
"""

import asyncio

from router.upstream.media_result import Arrived, NotFetched, Result


class Budget:
    """Bytes that all fetched images of one request may have together."""

    def __init__(self, count: int) -> None:
        self._all = self._left = count

    def pay(self, count: int) -> None:
        """Raises NotFetched when there is not so much left."""
        self._left -= count
        if self._left < 0:
            problem = f"at most {self._all} bytes in all images that are fetched for this request"
            raise NotFetched(Result.TOO_LARGE, problem, "body_bytes")


class Flight:
    """Who waits for it.

    Attributes:
        received: bytes so far.
        task: that fetches.
    """

    def __init__(self) -> None:
        self.received = 0
        self.task: asyncio.Task[None] | None = None
        self._waiters: dict[asyncio.Future[Arrived], Budget] = {}

    @property
    def is_deserted(self) -> bool:
        """Nobody waits any more."""
        return not self._waiters

    async def wait(self, budget: Budget) -> Arrived:
        """What comes of it. Raises NotFetched."""
        budget.pay(self.received)
        future: asyncio.Future[Arrived] = asyncio.get_running_loop().create_future()
        self._waiters[future] = budget
        try:
            return await future
        finally:
            del self._waiters[future]
            if not future.cancelled():
                future.exception()  # has been seen, though this waiter may leave for another reason

    def on_bytes(self, count: int) -> None:
        """So many more have come."""
        self.received += count
        for future, budget in self._waiters.items():
            try:
                budget.pay(count)
            except NotFetched as error:
                _fail(future, error)

    def land(self, arrived: Arrived) -> None:
        """It is over, and this came of it."""
        for future in self._waiters:
            if not future.done():
                future.set_result(arrived)

    def fail(self, error: NotFetched) -> None:
        """It is over, and nothing came of it."""
        for future in self._waiters:
            _fail(future, NotFetched(error.result, error.problem, error.limit))  # each raises one of its own


def _fail(future: asyncio.Future[Arrived], error: NotFetched) -> None:
    if not future.done():
        future.set_exception(error)
