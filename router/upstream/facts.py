"""Asks every engine of ours once what it is: its version, and how long a context it has. Kept until it leaves.

Nothing waits for it: what is not known yet is taken from the configuration. An engine that does not answer is asked
again, ever more rarely; one that did is asked again now and then, because another may have come to its address.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import aiohttp

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.engine_facts import EngineFacts, parse_facts
from router.upstream.directory import Directory
from router.upstream.first_bytes import read_whole

_MAX_BYTES = 1_048_576  # some thousand models and adapters

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FactsSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    timeout_s: float = 5.0  # for both answers of one engine; a busy one takes a second
    backoff_s: float = 1.0  # until an engine that did not answer is asked again; doubles each time
    backoff_max_s: float = 60.0  # longest
    # seconds until one that did answer is asked again: an engine that is replaced behind the same address
    refresh_s: float = 300.0

    def __post_init__(self) -> None:
        for name in ("timeout_s", "backoff_s", "refresh_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.backoff_max_s < self.backoff_s:
            raise ValueError(f"backoff_max_s must be at least backoff_s ({self.backoff_s}), got {self.backoff_max_s}")


@dataclass(slots=True)
class _Known:
    """Of one endpoint."""

    endpoint: Endpoint
    facts: EngineFacts | None = None
    due_at: float = 0.0  # monotonic seconds
    failures: int = 0  # in a row
    is_asked: bool = False


class Facts:
    """One per router.

    Args:
        session: what is asked with.
        directory: who is there.
        models: the name that each pool of our engines asks for, by the pool's name.
        clock: monotonic seconds.
        settings: how patiently.
        interval_s: between looks for new engines.
        sleep: pauses.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        directory: Directory,
        models: Mapping[str, str],
        clock: Callable[[], float],
        settings: FactsSettings,
        interval_s: float = 1.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._directory = directory
        self._models = dict(models)
        self._clock = clock
        self._settings = settings
        self._interval_s = interval_s
        self._sleep = sleep
        self._known: dict[tuple[str, EndpointId], _Known] = {}  # by pool: an adapter's has the engines of its base
        directory.on_removed(self._forget)

    def of(self, pool: str) -> tuple[EngineFacts, ...]:
        """What the pool's engines said, as far as they did; by the pool's name."""
        known = (self._known.get((pool, endpoint.id)) for endpoint in self._directory.endpoints(pool))
        return tuple(each.facts for each in known if each is not None and each.facts is not None)

    def ask_for(self, models: Mapping[str, str]) -> None:
        """From now on the engines of these pools, for these names; what other pools' engines said is dropped."""
        self._models = dict(models)
        self._known = {key: known for key, known in self._known.items() if key[0] in models}

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self.start_round(group)
                await self._sleep(self._interval_s)

    def start_round(self, group: asyncio.TaskGroup) -> None:
        """Ask each engine whose turn it is."""
        now = self._clock()
        for pool, model in self._models.items():
            for endpoint in self._directory.endpoints(pool):
                known = self._known.get((pool, endpoint.id))
                if known is None or known.endpoint != endpoint:
                    known = self._known[pool, endpoint.id] = _Known(endpoint)
                if not known.is_asked and known.due_at <= now:
                    known.is_asked = True
                    task = group.create_task(self._ask(known, pool, model))
                    task.add_done_callback(partial(_ended, known))  # also if it is cancelled unstarted

    def _forget(self, endpoint: EndpointId) -> None:
        for pool in self._models:
            self._known.pop((pool, endpoint), None)

    async def _ask(self, known: _Known, pool: str, model: str) -> None:
        endpoint, settings = known.endpoint, self._settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                version = await self._get(endpoint, "/version")
                models = await self._get(endpoint, "/v1/models")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            logger.debug("%s did not say what it is: %s", endpoint.id, type(error).__name__)
            pause_s = min(settings.backoff_s * 2 ** min(known.failures, 30), settings.backoff_max_s)
            known.failures += 1
            known.due_at = self._clock() + pause_s
            return
        facts = parse_facts(version, models, model)
        if not facts.serves and (known.facts is None or known.facts.serves):
            logger.warning("%s of pool %s does not serve %r, which it is asked for", endpoint.id, pool, model)
        known.facts, known.failures, known.due_at = facts, 0, self._clock() + settings.refresh_s

    async def _get(self, endpoint: Endpoint, path: str) -> bytes | None:
        """None: it has no such route.

        Raises:
            ValueError: another error, or too much.
        """
        async with self._session.get(
            endpoint.url + path,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            allow_redirects=False,
        ) as response:
            if response.status == 404:
                return None
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            body, is_whole = await read_whole(response.content, _MAX_BYTES)
            if not is_whole:
                raise ValueError(f"larger than {_MAX_BYTES} bytes")
            return body


def _ended(known: _Known, _: "asyncio.Task[None]") -> None:
    known.is_asked = False
