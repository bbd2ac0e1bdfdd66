"""Finds what became of a generation: first among this router's latest, then in the database.

A generation of another router is in the database a moment after its end. Who asks for a young one that is not there yet
is let wait that moment, once, and need not ask again. How old it is stands in its id.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from router.protocol.entry import Entry
from router.store.recent import Recent

_YOUNG_S = 900.0  # since the request came; nearly every answer is over by then
_PATIENCE_S = 0.5  # rows are written some 0.2 s after the end (`ledger.writer.flush_s`), and that takes milliseconds
_WAITING = 64  # at a time; who comes then is answered without waiting
_ID = re.compile(r"gen-(\d{1,12})-[A-Za-z0-9]{20}")


class Ledger(Protocol):
    async def find(self, generation: str) -> Entry | None:
        """Raises DatabaseAway."""


class Generations:
    """One per router.

    Args:
        recent: the latest rows of this router.
        ledger: the database; None: there is none.
        wall_clock: unix seconds.
        sleep: pauses.
    """

    def __init__(
        self,
        recent: Recent,
        ledger: Ledger | None,
        *,
        wall_clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._recent = recent
        self._ledger = ledger
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._waiting = 0

    async def find(self, generation: str) -> Entry | None:
        """None: there is none of this name.

        Raises:
            DatabaseAway: that cannot be told.
        """
        found = self._recent.find(generation)
        if found is not None or self._ledger is None:
            return found
        found = await self._ledger.find(generation)
        if found is not None or not self._is_young(generation) or self._waiting >= _WAITING:
            return found
        self._waiting += 1
        try:
            await self._sleep(_PATIENCE_S)
        finally:
            self._waiting -= 1
        return self._recent.find(generation) or await self._ledger.find(generation)

    def _is_young(self, generation: str) -> bool:
        match = _ID.fullmatch(generation)
        return match is not None and 0 <= self._wall_clock() - int(match[1]) < _YOUNG_S
