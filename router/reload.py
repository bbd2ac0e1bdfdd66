"""Takes a changed configuration over while the router runs, and refuses one that cannot be.

    look (every interval_s, and at SIGHUP) → settled? → read → publish beside the one in force → take over

A configuration is refused whole: the one before stays in force, and what is wrong is logged in the words of a start.
The same bad file is tried once; another try is made when a file changes, or at SIGHUP. Several changes while one is
taken over are seen as one, at the next look.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from router.reload_file import ConfigFile, Reading, Unsettled
from router.reload_sections import changed_beyond_reload
from router.reload_settings import ReloadSettings

logger = logging.getLogger(__name__)


class Takes(Protocol):
    """See `editions.Editions.take`."""

    async def __call__(self, reading: Reading) -> None: ...


class Reloader:
    """One per router; `run` beside the requests.

    Args:
        file: what is looked at.
        started: what the router started with, which is in force.
        take: puts a configuration in force.
        wall_clock: unix seconds.
        sleep: pauses.
    """

    def __init__(
        self,
        file: ConfigFile,
        started: Reading,
        take: Takes,
        *,
        wall_clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._file = file
        self._started = started
        self._take = take
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._seen = started.digest  # of the files that were tried last
        self._asked = asyncio.Event()
        self.current = started
        self.taken_at = wall_clock()  # unix seconds
        self.needs_restart: tuple[str, ...] = ()  # sections of the file that are not in force
        self.refusal: str | None = None  # why the last that was tried is not in force; None: it is
        self.taken = self.refused = 0  # configurations since the start

    @property
    def settings(self) -> ReloadSettings:
        return self.current.config.reload

    def about(self) -> dict[str, Any]:
        """For `/status`."""
        return {
            "hash": self.current.digest[:16],
            "age_s": round(self._wall_clock() - self.taken_at, 1),
            "needs_restart": list(self.needs_restart),
            "refused": self.refusal,
        }

    def ask(self) -> None:
        """Look at once."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            is_asked = await self._is_asked()
            try:
                await self.look(is_asked=is_asked)
            except Exception:
                logger.exception("a look at the configuration failed")

    async def look(self, *, is_asked: bool = False) -> None:
        """Take the configuration over if it has changed. `is_asked`: even one that was tried, and without waiting."""
        digest = await asyncio.to_thread(self._file.look)
        if digest == self._seen and not (is_asked and self.refusal is not None):
            if is_asked:
                logger.info("the configuration has not changed")
            return
        if not is_asked:
            await self._sleep(self.settings.settle_s)
            if await asyncio.to_thread(self._file.look) != digest:
                return  # whoever writes it is not done; the next look is soon
        try:
            reading = await asyncio.to_thread(self._file.read)
        except Unsettled:
            if is_asked:
                self.ask()  # it was asked for, so not only at the next look
                await self._sleep(self.settings.settle_s)
            return
        except ValueError as error:  # a ConfigError, nearly always
            self._refuse(str(error))
            return
        await self._try(reading)

    async def _is_asked(self) -> bool:
        """Wait until it is time to look. True: somebody asks for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.interval_s):
                await self._asked.wait()
        is_asked = self._asked.is_set()
        self._asked.clear()
        return is_asked

    async def _try(self, reading: Reading) -> None:
        try:
            if replace(reading, digest="") != replace(self.current, digest=""):  # else only comments have changed
                await self._take(reading)
        except ValueError as error:
            self._refuse(str(error))
            return
        except Exception as error:
            logger.exception("a configuration could not be put in force")
            self._refuse(f"{type(error).__name__}: {error}")
            return
        self._seen, self.current = reading.digest, reading
        self.taken_at, self.refusal = self._wall_clock(), None
        self.taken += 1
        before, started = self.needs_restart, self._started
        self.needs_restart = changed_beyond_reload(started.config, started.secrets, reading.config, reading.secrets)
        logger.info("configuration %s taken over from %s", reading.digest[:16], self._file.path)
        if self.needs_restart and self.needs_restart != before:
            logger.warning(
                "the rest of it is in force, but these sections stay as they were until a restart: %s",
                ", ".join(self.needs_restart),
            )

    def _refuse(self, why: str) -> None:
        self._seen, self.refusal = self._file.digest, why
        self.refused += 1
        logger.error("the configuration is refused, and the one before stays in force:\n%s", why)
