"""Which edition of the configuration is in force: one after the other, each let in whole and seen off when it is done.

    publish (beside the one in force) → take over, in one go → the former one ends with its last request

Taking over waits for nothing, so no request sees half of it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from router.edition import Edition
from router.fleet import About
from router.house import House, vocabulary_of
from router.publish import publish
from router.reload_file import Reading
from router.tasks import stop

logger = logging.getLogger(__name__)


class Editions:
    """One per router; to be closed."""

    def __init__(self, house: House, *, let_in: Callable[[Edition], None], about: About) -> None:
        """`let_in`: from here on new requests belong to an edition. `about`: what `/status` tells of it."""
        self._house = house
        self._let_in = let_in
        self._about = about
        self._current: Edition | None = None
        self._farewells: dict[asyncio.Task[None], Edition] = {}

    @property
    def current(self) -> Edition:
        """The one in force. There must have been a first."""
        assert self._current is not None
        return self._current

    @property
    def former(self) -> int:
        """Editions that still have requests."""
        return len(self._farewells)

    async def take(self, reading: Reading) -> None:
        """Put a configuration in force.

        Raises:
            ValueError: it cannot be, and why; all is as it was.
        """
        new = await publish(self._house, reading, lambda: self.current, self._about)
        former, self._current = self._current, new
        house, kept = self._house, set(new.running)
        for run in () if former is None else former.running:
            if run not in kept:
                run.cancel()
        self._let_in(new)
        for slot in new.slots:
            if slot.given is not None:
                house.directory.replace(slot.name, slot.given)
        house.room.settings, house.quotas.settings = new.config.room, new.config.quotas
        house.facts.ask_for({slot.name: slot.asks_for for slot in new.slots if slot.asks_for is not None})
        if former is not None:
            self._read_anew(former, new)
        for run in new.running:
            run.start()
        logging.getLogger().setLevel(new.config.log.level.upper())
        if former is not None:
            former.retire()
            task = asyncio.create_task(self._see_off(former, new.config.reload.drain_s))
            self._farewells[task] = former
            task.add_done_callback(self._farewells.pop)

    async def aclose(self) -> None:
        """End all of them."""
        former = list(self._farewells.values())
        await stop(list(self._farewells))
        for edition in [*former, *([] if self._current is None else [self._current])]:
            await edition.aclose()

    def _read_anew(self, former: Edition, new: Edition) -> None:
        """Cache events that are read by another vocabulary now."""
        directory, followed = self._house.directory, new.cache_events
        if followed is None:
            return
        for endpoint in directory.all():
            if vocabulary_of(directory, former, endpoint) is not vocabulary_of(directory, new, endpoint):
                followed.forget(endpoint.id)

    async def _see_off(self, former: Edition, drain_s: float) -> None:
        await former.tasks.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await former.is_empty.wait()
        if former.guests:
            logger.warning("%d requests of a former configuration lose what only that had", former.guests)
        await former.parts.aclose()
