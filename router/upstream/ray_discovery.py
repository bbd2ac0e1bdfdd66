"""Asks Ray Serve's REST API, again and again, where the replicas of an application are.

What cannot be understood changes nothing: while the head is away, refuses the token or talks nonsense, the endpoints
last known stay, because the replicas outlive the head. What is understood counts at once, also an empty answer. Each
trouble is logged when it begins and when it is over, not at every poll.

An empty answer of another controller than the one that told of the endpoints is no news of them: a head that lost its
memory begins with nothing, and what it does not know may serve on until its node notices. Then the engines have the
word: those whose own figures are fresh stay, until the new controller has replicas, and the others leave, so that
requests wait for their successors instead of failing.

Every poll asks for the address anew and connects anew. A connection that is kept leads to the same head for as long as
that lives, also after the service's name has come to mean another: KubeRay moves the name of the head to a new cluster
and removes the old one, with the replicas that its head tells of, a minute later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

import aiohttp

from router.policy.catalog import Endpoint
from router.upstream.directory import Directory
from router.upstream.first_bytes import read_whole
from router.upstream.ray_targets import RayUnclear, Told, read_targets
from router.upstream.ray_waker import RayWaker
from router.upstream.session import open_session
from router.upstream.trouble import Trouble

_PATH = "/api/serve/applications/"
_MAX_BYTES = 33_554_432  # about 10,000 replicas; it also holds every deployment's whole configuration

logger = logging.getLogger(__name__)


class RayDiscovery:
    """Keeps one pool of the directory in step with one application.

    `token` gives the cluster's token, or None without one, and is asked at every poll, so that a rotated token is
    used at once; it may raise OSError or ValueError when the token cannot be read just now. `waker`: asks Ray for a
    replica when there is none and `is_wanted` says that somebody waits for one; None: nobody does.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        pool_name: str,
        dashboard: str,
        application: str,
        token: Callable[[], str | None] = lambda: None,
        interval_s: float = 1.0,
        timeout_s: float = 2.0,
        waker: RayWaker | None = None,
        is_wanted: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._pool_name = pool_name
        self._url = dashboard.rstrip("/") + _PATH
        self._application = application
        self._token = token
        self._interval_s = interval_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._waker = waker
        self._is_wanted = is_wanted
        self._sleep = sleep
        self._trouble = Trouble(logger, pool_name)
        self._controller = ""  # who told of the endpoints known now

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self.poll()
                await self._sleep(self._interval_s)
        finally:
            if self._waker is not None:
                await self._waker.close()

    async def poll(self) -> None:
        """Ask once. Raises nothing but CancelledError."""
        known = self._directory.endpoints(self._pool_name)
        try:
            told = read_targets(await self._ask(), self._application, known)
        except RayUnclear as unclear:
            self._trouble.note(f"{unclear}; keeping the {len(known)} endpoints last known")
            return
        except (aiohttp.ClientError, OSError) as error:
            self._trouble.note(
                f"no answer from the Ray dashboard ({type(error).__name__}); "
                f"keeping the {len(known)} endpoints last known"
            )
            return
        found = self._believed(told, known)
        if set(found) != set(known):
            names = ", ".join(each.id for each in found) or "none"
            logger.info("pool %s: endpoints are now: %s", self._pool_name, names)
        self._directory.replace(self._pool_name, found)
        if self._waker is not None and not found and told.proxy is not None and self._is_wanted():
            self._waker.wake(told.proxy)
        if found and not told.endpoints:
            self._trouble.note(
                f"another controller of Ray Serve answers, which has no replica of application {self._application!r} "
                f"yet; keeping {len(found)} that still do"
            )
        else:
            self._trouble.note(
                "" if found else f"Ray Serve has no serving replica of application {self._application!r}"
            )

    def _believed(self, told: Told, known: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
        orphans: tuple[Endpoint, ...] = ()
        if not told.endpoints and told.controller != self._controller:
            orphans = tuple(each for each in known if self._directory.metrics(each) is not None)
        if not orphans:
            self._controller = told.controller
        return told.endpoints or orphans

    async def _ask(self) -> bytes:
        try:
            token = self._token()
        except (OSError, ValueError) as error:
            raise RayUnclear(f"the Ray token cannot be read: {error}") from None
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with (
            open_session(keepalive_s=1.0) as session,  # closed before that; addresses are remembered by sessions
            session.get(self._url, headers=headers, timeout=self._timeout, allow_redirects=False) as response,
        ):
            if response.status in (401, 403):
                hint = "refused its token" if token else "wants a token, and none is configured"
                raise RayUnclear(f"the Ray dashboard {hint} (HTTP {response.status})")
            if response.status != 200:
                raise RayUnclear(f"the Ray dashboard answered HTTP {response.status}")
            body, is_whole = await read_whole(response.content, _MAX_BYTES)
            if not is_whole:
                raise RayUnclear(f"the Ray dashboard's answer is larger than {_MAX_BYTES} bytes")
            return body
