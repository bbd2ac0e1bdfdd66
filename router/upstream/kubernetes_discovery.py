"""Follows the EndpointSlices of a Kubernetes Service: lists them, then watches what changes, for as long as it runs.

A pod that begins to terminate leaves the pool in the moment in which the watch says so; Kubernetes tells that when the
deletion is asked for, before the pod is sent SIGTERM or soon after, and the streams that it has run on to their end.

What cannot be understood changes nothing: while the API server is away, refuses or talks nonsense, the endpoints last
known stay, because they outlive it. One that dies meanwhile is found by its breaker and by the probes, as everywhere.
What the API server does say counts at once, also that there is nothing. Each trouble is logged when it begins and when
it is over.

A watch is not trusted to be alive, nor to be complete: one that says nothing for a while is resumed, one whose past the
server has forgotten (410) begins with a new list, and everything is listed anew from time to time.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp

from router.protocol.kubernetes.known import KnownSlices
from router.protocol.kubernetes.lines import Lines, LineTooLong
from router.protocol.kubernetes.members import Wanted, members_of
from router.protocol.kubernetes.slices import Expired, KubernetesUnclear, read_event
from router.upstream.directory import Directory
from router.upstream.kubernetes_access import Access
from router.upstream.kubernetes_api import KubernetesApi
from router.upstream.kubernetes_settings import KubernetesSettings
from router.upstream.trouble import Trouble

_SHORT_S = 1.0  # a watch that ends before this without a word was none
_SUSPICIOUS = 3  # of such in a row: it is no chance
_COMPLAINTS = 10  # logged at a time

logger = logging.getLogger(__name__)


class KubernetesDiscovery:
    """Keeps one pool of the directory in step with one Service.

    `wanted`: which of its endpoints; its namespace is taken from `access`. `chance` gives numbers from 0 to below 1.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        directory: Directory,
        pool_name: str,
        access: Access,
        wanted: Wanted,
        settings: KubernetesSettings,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._pool_name = pool_name
        self._wanted = wanted
        self._settings = settings
        self._chance = chance
        self._sleep = sleep
        self._api = KubernetesApi(session, access, wanted.service, settings)
        self._known = KnownSlices(settings.max_slices)
        self._list_at = 0.0  # when everything is to be listed next, by the loop's clock; at first it must be anyhow
        self._failures = 0  # in a row
        self._trouble = Trouble(logger, pool_name)
        self._overdue = ""  # why everything could not be listed anew when it was time to
        self._lack = ""  # of endpoints, as far as they are known
        self._complaints: frozenset[str] = frozenset()
        self.lists = 0  # for metrics: lists that succeeded
        self.watches = 0  # watches that began
        self.events = 0  # changes told by them

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self._sleep(await self.step())

    async def step(self) -> float:
        """List if it is time to, then watch until the watch ends. Gives the seconds to pause for.

        Raises nothing but CancelledError.
        """
        heard, lasted_s, asked_s = False, 0.0, 0.0
        try:
            if not self._known.version:
                await self._list()
            elif _now() >= self._list_at:
                await self._list_anew()
            heard, lasted_s = await self._watch()
        except Expired:
            self._known.expire()
        except KubernetesUnclear as unclear:
            self._known.expire()
            asked_s = unclear.retry_after_s
            self._note(str(unclear))
        except (aiohttp.ClientError, OSError) as error:
            self._note(_no_answer(error))
        if lasted_s >= _SHORT_S:
            self._failures = 0
            return 0.0
        self._failures = 1 if heard else self._failures + 1
        if self._failures == _SUSPICIOUS and not self._trouble:
            logger.warning("pool %s: watches of the API server end at once", self._pool_name)
        return max(self._backoff_s(), min(asked_s, self._settings.backoff_max_s))

    async def _list(self) -> None:
        slices, version, namespace = await self._api.slices()
        self.lists += 1
        self._wanted = replace(self._wanted, namespace=namespace)
        self._known.replace(slices, version)
        self._list_at = _now() + self._settings.resync_s
        self._overdue = ""
        self._publish()

    async def _list_anew(self) -> None:
        """A precaution: where it fails, watching goes on."""
        try:
            await self._list()
        except (Expired, KubernetesUnclear, aiohttp.ClientError, OSError) as error:
            self._list_at = _now() + self._settings.backoff_max_s
            self._overdue = str(error) if isinstance(error, KubernetesUnclear) else _no_answer(error)
            self._note(self._overdue)

    async def _watch(self) -> tuple[bool, float]:
        """Take in what a watch says until it ends. Whether it said anything, and how many seconds it lasted."""
        settings = self._settings
        seconds = settings.watch_s * (1 + self._chance())
        lines = Lines(settings.line_bytes)
        async with self._api.watch(self._known.version, max(1, round(seconds))) as stream:
            began = _now()
            self.watches += 1
            self._note(self._overdue)
            end = min(began + seconds + settings.timeout_s, max(self._list_at, began + _SHORT_S))
            heard = False
            while data := await self._read(stream, min(end, _now() + settings.idle_s)):
                heard = True
                self._take(lines, data)
        return heard, _now() - began

    async def _read(self, stream: aiohttp.StreamReader, deadline: float) -> bytes:
        """What comes next; b"" when the watch is over, or is to be."""
        try:
            async with asyncio.timeout_at(deadline):
                return await stream.readany()
        except (aiohttp.ClientError, OSError):  # a TimeoutError is one; resumed at once, and told if that fails
            return b""

    def _take(self, lines: Lines, data: bytes) -> None:
        """Raises Expired and KubernetesUnclear, after what came before it was taken in."""
        is_changed = False
        try:
            for line in lines.feed(data):
                is_changed |= self._known.tell(read_event(line))
                self.events += 1
        except LineTooLong:
            raise KubernetesUnclear(f"an event is larger than {self._settings.line_bytes} bytes") from None
        finally:
            if is_changed:
                self._publish()

    def _publish(self) -> None:
        wanted, known = self._wanted, self._directory.endpoints(self._pool_name)
        members = members_of(self._known.all(), wanted)
        if set(members.endpoints) != set(known):
            names = ", ".join(f"{each.id} ({each.url})" for each in members.endpoints) or "none"
            logger.info("pool %s: endpoints are now: %s", self._pool_name, names)
        self._directory.replace(self._pool_name, members.endpoints)
        self._complain(frozenset(members.complaints))
        self._lack = ""
        if not members.endpoints:
            service = f"service {wanted.service!r} in namespace {wanted.namespace!r}"
            self._lack = (
                f"{service} has no EndpointSlice: does it exist, and does it select pods?"
                if not self._known.all()
                else f"{service} has no ready endpoint ({members.unready} not ready, {members.leaving} terminating)"
            )
        self._note(self._overdue)

    def _complain(self, complaints: frozenset[str]) -> None:
        new = sorted(complaints - self._complaints)
        for complaint in new[:_COMPLAINTS]:
            logger.warning("pool %s: left out: %s", self._pool_name, complaint)
        if len(new) > _COMPLAINTS:
            logger.warning("pool %s: left out: parts of %d more", self._pool_name, len(new) - _COMPLAINTS)
        self._complaints = complaints

    def _backoff_s(self) -> float:
        settings = self._settings
        full_s = min(settings.backoff_max_s, settings.backoff_s * 2.0 ** min(self._failures - 1, 16))
        return full_s * (1 + self._chance()) / 2

    def _note(self, failure: str) -> None:
        """Log a failure to ask, or that there is none: then a lack of endpoints is the trouble, if there is one."""
        count = len(self._directory.endpoints(self._pool_name))
        trouble = f"{failure}; keeping the {count} endpoints last known" if failure else self._lack
        self._trouble.note(trouble)


def _no_answer(error: Exception) -> str:
    return f"no answer from the API server ({type(error).__name__})"


def _now() -> float:
    return asyncio.get_running_loop().time()
