"""Tries out endpoints that were given up, so that no caller's request has to.

When a breaker's time is over, the endpoint gets one real request of one token. `/health` would say nothing: it stays
200 while an engine hangs. A good answer closes the breaker, anything else opens it for longer. Should a request of a
caller be there first, it is the probe, and may go elsewhere if it fails.

Where a request costs money, nothing is asked that a caller has not: such a pool is not among the reviver's, or is asked
in a way of its own that costs nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Protocol, TypeAlias

import msgspec

from router.policy.attempt import Attempt
from router.policy.breaker import Breaker, Permit
from router.policy.breakers import Breakers
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.outcome import Outcome, StreamBroken, Verdict
from router.upstream.reply import Reply

PATH = "/v1/chat/completions"

logger = logging.getLogger(__name__)


Ask: TypeAlias = Callable[[Attempt], Awaitable[Reply]]


class Sender(Protocol):
    """Sends an attempt; see `client.Client`."""

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply: ...


class Reviver:
    """One per router.

    `clock` gives monotonic seconds; `deadlines` are those of a pool, by its name; `asks`: how pools are asked that have
    a way of their own, by name.
    """

    def __init__(
        self,
        *,
        pools: Sequence[Pool],
        endpoints: Callable[[str], Sequence[Endpoint]],
        breakers: Breakers,
        deadlines: Callable[[str], Deadlines],
        client: Sender,
        clock: Callable[[], float],
        interval_s: float,
        asks: Mapping[str, Ask] = MappingProxyType({}),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._pools = pools
        self._endpoints = endpoints
        self._breakers = breakers
        self._deadlines = deadlines
        self._client = client
        self._clock = clock
        self._interval_s = interval_s
        self._asks = asks
        self._sleep = sleep
        self._under_way: set[EndpointId] = set()

    async def run(self) -> None:
        """Try out whoever is due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self.start_round(group)
                await self._sleep(self._interval_s)

    def start_round(self, group: asyncio.TaskGroup) -> None:
        """Start a request to each endpoint whose breaker waits for a probe."""
        for pool in self._pools:
            for endpoint in self._endpoints(pool.name):
                breaker, now = self._breakers.of(endpoint.id), self._clock()
                if endpoint.id not in self._under_way and breaker.wants_probe(now):
                    permit = breaker.acquire(now)
                    self._under_way.add(endpoint.id)
                    task = group.create_task(self._try_out(pool, endpoint, breaker, permit))
                    task.add_done_callback(partial(self._ended, endpoint.id, breaker, permit))

    async def _try_out(self, pool: Pool, endpoint: Endpoint, breaker: Breaker, permit: Permit) -> None:
        ask = self._asks.get(pool.name, self._ask)
        reply = await ask(Attempt(1, pool, endpoint, self._deadlines(pool.name)))
        try:
            outcome = reply.outcome
            if outcome.verdict is Verdict.OK:
                breaker.first_byte(permit, self._clock())
                outcome = await _to_the_end(reply)
        finally:
            reply.close()
        breaker.release(permit, outcome, self._clock())
        logger.info("%s was tried out: %s", endpoint.id, outcome.verdict.value)

    async def _ask(self, attempt: Attempt) -> Reply:
        """One token, as an engine of ours is asked for it."""
        body = {
            "model": attempt.pool.upstream_model,
            "messages": [{"role": "user", "content": "Hello"}],
            "max_tokens": 1,
            "stream": True,
        }
        return await self._client.send(attempt, PATH, msgspec.json.encode(body), stream=True)

    def _ended(self, endpoint_id: EndpointId, breaker: Breaker, permit: Permit, _: "asyncio.Task[None]") -> None:
        self._under_way.discard(endpoint_id)
        breaker.release(permit, Outcome(Verdict.CANCELLED), self._clock())  # if it was cancelled


async def _to_the_end(reply: Reply) -> Outcome:
    try:
        while await reply.read():
            pass
    except StreamBroken as broken:
        return broken.outcome
    return reply.outcome
