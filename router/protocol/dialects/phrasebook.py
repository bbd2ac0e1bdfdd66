"""A request in the words of whoever is to get it: an engine of ours, or one of the providers."""

from collections.abc import Mapping
from typing import Protocol

from router.policy.call import Call
from router.policy.catalog import Dialect, Pool
from router.protocol.dialects.able import cannot
from router.protocol.dialects.anthropic_body import write_anthropic
from router.protocol.dialects.openai_body import write_openai
from router.protocol.dialects.source import Source
from router.protocol.dialects.words import Said, Words
from router.protocol.kinds import Kind


class Sayable(Protocol):
    """A parsed request; see `request.Request`."""

    @property
    def kind(self) -> Kind: ...
    @property
    def call(self) -> Call: ...
    @property
    def source(self) -> Source | None: ...
    def upstream_body(self, pool: Pool, *, generation_id: str) -> bytes: ...


class Phrasebook:
    """One per router. `words`: of the providers, by their slugs."""

    def __init__(self, words: Mapping[str, Words]) -> None:
        self._words = dict(words)

    def say(self, request: Sayable, pool: Pool, *, generation_id: str) -> Said:
        """What goes to an endpoint of the pool.

        Raises:
            LookupError: the pool's provider has no words, or the request did not keep its source: a mistake in how the
                router was put together, not the caller's.
        """
        if pool.dialect is Dialect.VLLM:
            return Said(request.kind.path, request.upstream_body(pool, generation_id=generation_id))
        words, source = self._words[pool.slug], request.source
        if source is None:
            raise LookupError("the request was parsed without keeping its source")
        write = write_openai if words.dialect is Dialect.OPENAI else write_anthropic
        return write(source, request.call, pool, words)

    def cannot(self, request: Sayable, pool: Pool) -> str | None:
        """Why the pool cannot be asked this: the field at fault. None: it can."""
        if pool.dialect is Dialect.VLLM or request.source is None:
            return None
        return cannot(request.source, pool.dialect)
