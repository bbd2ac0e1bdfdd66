"""The keys that this router has read from the database, so that a request does not wait for it.

A key that is in use is read again ahead of time, together with all others in one statement, so that one that was
changed, disabled or deleted anywhere stops within `fresh_s` here. While the database is away or hangs, what was read
last counts on, up to `stale_s`: an outage of the database is none of inference. What was never read is then neither
known nor unknown, and the caller is told to come back.

Keys that do not exist cost one look-up each. They are remembered for a while, look-ups are read together, and only so
many may wait: whoever guesses keys does not reach the database more often than others do. The way is the same for
those that exist and those that do not, so its time tells nothing.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from math import inf
from typing import Protocol

from router.policy.key import Key
from router.store.away import DatabaseAway
from router.store.known_keys_settings import KnownKeysSettings
from router.store.look_ups import Away, LookUps

logger = logging.getLogger(__name__)


class Finds(Protocol):
    """The database's side."""

    async def find(self, ids: Sequence[str]) -> Mapping[str, Key]:
        """Those of the keys that exist, by id. Raises DatabaseAway."""


class TooManyWait(Exception):
    """So many requests wait for their keys that one more may not."""


@dataclass(slots=True)
class _Known:
    key: Key
    read_at: float  # when the statement began that read it
    used_at: float


class KnownKeys:
    """One per router; `run` beside the requests.

    Args:
        store: the database's keys.
        settings: how long, how many.
        clock: monotonic seconds.
    """

    def __init__(self, store: Finds, settings: KnownKeysSettings, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()  # the one that was used longest ago comes first
        self._unknown: OrderedDict[str, float] = OrderedDict()  # until when; the oldest comes first
        self._look_ups = LookUps(
            self._look_up,
            at_a_time=settings.lookups,
            batch=settings.batch,
            waiting=settings.waiting,
            wait_s=settings.wait_s,
        )
        self._changed_at = -inf  # what was read before may be something else by now
        self._reading_since: float | None = None  # the present re-reading began then
        self._is_changed = asyncio.Event()
        self.is_away = False  # the last statement failed
        self.reads = 0  # statements, for metrics
        self.failures = 0  # of them: the database was away
        self.stale_uses = 0  # requests let in by a key that could not be read again
        self.refused = 0  # requests whose key was not known and could not be read

    @property
    def keys(self) -> int:
        """How many are kept."""
        return len(self._known)

    def get(self, key_id: str) -> Key | None:
        """A key that may be used without waiting. None: `find` it."""
        known = self._known.get(key_id)
        if known is None:
            return None
        now = self._clock()
        if known.read_at + self._settings.fresh_s < now or known.read_at <= self._changed_at:
            if not (self._is_late(now) and self._may_be_used(known, now)):
                return None
            self.stale_uses += 1
        known.used_at = now
        self._known.move_to_end(key_id)
        return known.key

    async def find(self, key_id: str) -> Key | None:
        """The key, or None if there is no such key.

        Raises:
            DatabaseAway: that cannot be told at the moment.
            TooManyWait: that could be told only after too many others.
        """
        if (key := self.get(key_id)) is not None:
            return key
        if self._unknown.get(key_id, -inf) > self._clock():
            return None
        problem: Exception = TooManyWait()
        if self._look_ups.has_room_for(key_id):
            answer = await self._look_ups.ask(key_id)
            if not isinstance(answer, Away):
                return answer
            self.is_away = True  # or it hangs
            problem = DatabaseAway("keys cannot be read")
        known, now = self._known.get(key_id), self._clock()
        if known is None or not self._may_be_used(known, now):
            self.refused += 1
            raise problem
        self.stale_uses += 1
        known.used_at = now
        self._known.move_to_end(key_id)
        return known.key

    def changed(self, *gone: str) -> None:
        """Something about keys, guardrails or workspaces was changed here: nothing counts that was read before.

        `gone`: ids of keys that were deleted or disabled, which must not even count while the database is away.
        """
        self._changed_at = self._clock()
        for key_id in gone:
            self._known.pop(key_id, None)
        self._is_changed.set()

    async def refresh(self) -> None:
        """Read all keys again that were used lately."""
        self._reading_since = now = self._clock()
        since = now - self._settings.recent_s
        ids = [key_id for key_id, _ in takewhile(lambda item: item[1].used_at >= since, reversed(self._known.items()))]
        try:
            for start in range(0, len(ids), self._settings.batch):
                if await self._read(ids[start : start + self._settings.batch]) is None:
                    break
        finally:
            self._reading_since = None

    async def run(self) -> None:
        """Read again, until cancelled."""
        try:
            while True:
                self._is_changed.clear()
                try:
                    await self.refresh()
                except Exception:
                    logger.exception("keys cannot be read again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.fresh_s / 2):
                        await self._is_changed.wait()
        finally:
            await self._look_ups.aclose()

    async def _look_up(self, ids: Sequence[str]) -> Mapping[str, Key] | None:
        return await self._read(ids, is_first=True)

    async def _read(self, ids: Sequence[str], *, is_first: bool = False) -> Mapping[str, Key] | None:
        """One statement. None: the database is away. `is_first`: they are not known yet."""
        began = self._clock()
        self.reads += 1
        try:
            found = await self._store.find(ids)
        except DatabaseAway as away:
            self.failures += 1
            if not self.is_away:
                logger.warning("keys cannot be read, those that are known count on: %s", away)
            self.is_away = True
            return None
        if self.is_away:
            logger.warning("keys can be read again")
        self.is_away = False
        for key_id in ids:
            key = found.get(key_id)
            if key is None:
                self._is_none(key_id)
            else:
                self._is_key(key_id, key, began, is_first=is_first)
        return found

    def _is_key(self, key_id: str, key: Key, began: float, *, is_first: bool) -> None:
        known = self._known.get(key_id)
        if known is not None:
            if known.read_at <= began:
                known.key, known.read_at = key, began
        elif is_first and began > self._changed_at:
            self._known[key_id] = _Known(key, began, self._clock())
            while len(self._known) > self._settings.keys:
                self._known.popitem(last=False)

    def _is_none(self, key_id: str) -> None:
        self._known.pop(key_id, None)
        self._unknown.pop(key_id, None)
        self._unknown[key_id] = self._clock() + self._settings.unknown_s
        while len(self._unknown) > self._settings.unknown:
            self._unknown.popitem(last=False)

    def _is_late(self, now: float) -> bool:
        """The database is away, or takes so long that nobody should wait for it."""
        since = self._reading_since
        return self.is_away or (since is not None and now - since > self._settings.fresh_s / 2)

    def _may_be_used(self, known: _Known, now: float) -> bool:
        return now - known.read_at <= self._settings.stale_s
