"""The spools of routers that are gone: found, written like our own, deleted.

Nothing here keeps two routers from looking at the same time, because each folder has a lock (see spool_home). What
cannot be read stays where it is, and is tried again with the next look.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

from router.protocol.entry import Entry
from router.store.spool_abandoned import Abandoned
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import Home, claim_abandoned

_AT_ONCE = 8  # folders; each keeps a file open, and other routers may have the rest

logger = logging.getLogger(__name__)


class Adoption:
    """One per router.

    Args:
        directory: the spool's.
        damaged: where lines go that cannot be read.
        on_retired: hears the boot id of a router whose rows are all in the database.
    """

    def __init__(self, directory: Path, damaged: DamagedLog, *, on_retired: Callable[[str], None]) -> None:
        self._directory = directory
        self._damaged = damaged
        self._on_retired = on_retired
        self._adopted: deque[Abandoned] = deque()
        self.has_room = asyncio.Event()  # a look may find more
        self.retired = 0  # spools, since the start
        self.interrupted = 0  # requests in them that have no end

    @property
    def waiting(self) -> int:
        """Spools that are not wholly written."""
        return len(self._adopted)

    async def look(self) -> None:
        """Claim what is abandoned. Raises nothing but CancelledError."""
        self.has_room.clear()
        looking = asyncio.ensure_future(asyncio.to_thread(self._claim, _AT_ONCE - len(self._adopted)))
        try:
            found = await asyncio.shield(looking)
        except asyncio.CancelledError:
            for home in await looking:
                home.close()
            raise
        for home in found:
            logger.warning("ledger: router %s is gone; what it left in its spool is written by this one", home.boot)
            self._adopted.append(Abandoned(home, self._damaged))

    async def take(self, limit: int) -> list[Entry]:
        """The next rows, all of one router; to be said done before the next are taken."""
        while self._adopted:
            abandoned = self._adopted[0]
            try:
                entries = await asyncio.to_thread(abandoned.take, limit)
            except OSError as error:
                logger.error("ledger: %r cannot be read, and stays: %s", abandoned.home, error.strerror)
                self._adopted.popleft()
                abandoned.home.close()
                continue
            if entries:
                return entries
            await self._retire(abandoned)
        return []

    async def done(self) -> None:
        """What was taken last is in the database."""
        if self._adopted[0].is_read:
            await self._retire(self._adopted[0])

    def close(self) -> None:
        """Leave what is not done to other routers."""
        while self._adopted:
            self._adopted.popleft().home.close()

    def _claim(self, most: int) -> list[Home]:
        try:
            return claim_abandoned(self._directory, most)
        except OSError as error:
            logger.error("ledger: %s cannot be looked through: %s", self._directory, error.strerror)
            return []

    async def _retire(self, abandoned: Abandoned) -> None:
        self._adopted.popleft()
        try:
            await asyncio.to_thread(abandoned.home.delete)
        except OSError as error:  # whoever finds it writes the same rows again, which does nothing
            logger.warning("ledger: %r is written, but cannot be deleted: %s", abandoned.home, error.strerror)
        logger.warning("ledger: wrote what router %s left: %d rows, of them %d requests that it did not end",
                       abandoned.home.boot, abandoned.rows, abandoned.interrupted)  # fmt: skip
        self.retired += 1
        self.interrupted += abandoned.interrupted
        self._on_retired(abandoned.home.boot)
        self.has_room.set()
