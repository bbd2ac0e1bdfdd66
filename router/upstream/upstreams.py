"""Sends an attempt to whoever its pool is of: an engine of ours, or a provider."""

from collections.abc import Mapping
from typing import Protocol

from router.policy.attempt import Attempt
from router.policy.catalog import Dialect
from router.upstream.client import Client
from router.upstream.foreign_reply import ForeignReply
from router.upstream.reply import Reply


class Sender(Protocol):
    """See `provider.Provider`."""

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply | ForeignReply: ...


class Upstreams:
    """One per router. `providers`: by their slugs, one for every pool whose dialect is not vLLM's."""

    def __init__(self, engines: Client, providers: Mapping[str, Sender]) -> None:
        self._engines = engines
        self._providers = dict(providers)

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply | ForeignReply:
        """As `Client.send`. Always close the reply."""
        pool = attempt.pool
        if pool.dialect is Dialect.VLLM:
            return await self._engines.send(attempt, path, body, stream=stream)
        return await self._providers[pool.slug].send(attempt, path, body, stream=stream)
