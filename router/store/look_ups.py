"""Look-ups that are made together: whoever asks for a key waits for it, and all that wait are read in one statement.

A look-up belongs to nobody who waits for it: one who leaves takes nothing from the others. Only so many may wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from router.policy.key import Key


@dataclass(frozen=True, slots=True)
class Away:
    """Instead of an answer: the database gave none, or not in time."""


AWAY = Away()
Read = Callable[[Sequence[str]], Awaitable[Mapping[str, Key] | None]]


class LookUps:
    """One per cache.

    Args:
        read: one statement; None if the database is away.
        at_a_time: statements.
        batch: keys to a statement.
        waiting: requests, and keys, that may wait.
        wait_s: that each request waits.
    """

    def __init__(self, read: Read, *, at_a_time: int, batch: int, waiting: int, wait_s: float) -> None:
        self._read = read
        self._at_a_time = at_a_time
        self._batch = batch
        self._most = waiting
        self._wait_s = wait_s
        self._asked: dict[str, asyncio.Future[Key | Away | None]] = {}  # what somebody waits for, or did
        self._queue: list[str] = []  # of that, what no statement reads yet
        self._readers: set[asyncio.Task[None]] = set()
        self.waiting = 0

    def has_room_for(self, key_id: str) -> bool:
        """Whether one more request may wait."""
        return self.waiting < self._most and (key_id in self._asked or len(self._asked) < self._most)

    async def ask(self, key_id: str) -> Key | Away | None:
        """The key, or None if there is none."""
        asked = self._asked.get(key_id)
        if asked is None:
            asked = self._asked[key_id] = asyncio.get_running_loop().create_future()
            self._queue.append(key_id)
        if self._queue and len(self._readers) < self._at_a_time:
            self._readers.add(asyncio.create_task(self._look_up()))
        self.waiting += 1
        try:
            await asyncio.wait((asked,), timeout=self._wait_s)
        finally:
            self.waiting -= 1
        return asked.result() if asked.done() else AWAY

    async def aclose(self) -> None:
        """End all statements; who waits is told that the database is away."""
        readers, self._readers = self._readers, set()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        self._queue.clear()
        for asked in self._asked.values():
            asked.set_result(AWAY)
        self._asked.clear()

    async def _look_up(self) -> None:
        """All that is asked for, again and again until nothing is."""
        reader = asyncio.current_task()
        assert reader is not None
        try:
            while self._queue:
                ids = self._queue[: self._batch]
                del self._queue[: self._batch]
                found: Mapping[str, Key] | None = None
                try:
                    found = await self._read(ids)
                finally:
                    for key_id in ids:
                        self._asked.pop(key_id).set_result(AWAY if found is None else found.get(key_id))
        finally:
            self._readers.discard(reader)  # at once: whoever asks from now on must start another
