"""Answers that a caller wants kept, and to get again: the response cache between a route and the gateway."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from router.api.exchange import AsgiClient
from router.company import Client
from router.gateway import Gateway
from router.generation import Generation
from router.plugins.caching import recorded, replay
from router.plugins.response_cache import CachedAnswer, ResponseCache
from router.policy.key import ANONYMOUS
from router.policy.outcome import Outcome, Verdict
from router.protocol.plugins.cache_asked import CacheAsked, cache_key, hit_headers, miss_headers
from router.protocol.plugins.replay import Name
from router.protocol.presets.preset import Preset

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Wish:
    """Of one request."""

    asked: CacheAsked
    name: bytes | None  # by which its answer may be kept; None: it may not


class KeptAnswers:
    """One per router. `clock`: monotonic seconds."""

    def __init__(self, gateway: Gateway, cache: ResponseCache, clock: Callable[[], float]) -> None:
        self._gateway = gateway
        self._cache = cache
        self._clock = clock

    def wish(self, generation: Generation, headers: Headers, path: str, raw: bytes, preset: Preset | None) -> Wish:
        """What the headers ask, and a preset where they say nothing. Strangers share one account and get nothing."""
        asked = CacheAsked.of(headers)
        if preset is not None:
            asked = asked.within(preset.config)
        if not asked.is_wanted or not self._cache.is_on or generation.key is ANONYMOUS:
            return Wish(asked, None)
        call = generation.request.call
        return Wish(asked, cache_key(generation.key.id, path, call.model, stream=call.stream, body=raw))

    async def answer(self, generation: Generation, client: AsgiClient, dressed: Client, wish: Wish) -> None:
        """Answer out of the cache, or let the gateway answer and keep that.

        Args:
            generation: the request.
            client: who asked, to be told in headers.
            dressed: the same in the words of the API that was asked.
            wish: what of it may be kept.

        Raises:
            ApiError: as `Gateway.answer`.
        """
        if wish.name is None:
            await self._gateway.answer(generation, dressed)
            return
        if wish.asked.clears:
            self._cache.drop(wish.name)
        kept = self._cache.get(wish.name, self._clock())
        if kept is None:
            client.headers = [*client.headers, *miss_headers(wish.asked.ttl_s)]
            keep = partial(self._kept, generation, wish.asked.ttl_s)
            await recorded(self._cache, wish.name, dressed, partial(self._gateway.answer, generation), keep)
            return
        source = kept.name.generation_id
        age_s = self._clock() - kept.kept_at
        client.headers = [*client.headers, *hit_headers(age_s=age_s, ttl_s=kept.ttl_s, source_id=source)]
        generation.outcome, generation.pool = Outcome(Verdict.OK, 200), kept.pool
        generation.finish_reason, generation.trace.cached_from = kept.finish_reason, source
        generation.ticket.open_free(generation)
        self._gateway.over(generation)
        await replay(kept, Name(generation.id, generation.created), dressed)

    def _kept(self, generation: Generation, ttl_s: int, data: bytes, is_stream: bool) -> CachedAnswer | None:
        outcome, pool = generation.outcome, generation.pool
        if outcome is None or outcome.verdict is not Verdict.OK or pool is None:
            return None
        own = Name(generation.id, generation.created)
        return CachedAnswer(data, is_stream, own, pool, generation.finish_reason, self._clock(), ttl_s)
