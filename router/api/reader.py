"""From a body's bytes to a checked request: presets put in, pictures and documents got that it only names.

preset → parse → (fetch → parse again) → is its grammar one too many?

Parsing is quick but for filters: a long text, or a large pattern, is looked at in a thread, so that other requests need
not wait for it. Parsers are pure, and what they read of the router (lengths, contexts) is only read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Protocol

from router.api.room import Place
from router.policy.call import Caller
from router.policy.key import Key
from router.policy.length import Lengths
from router.policy.schema_quota import SchemaQuota
from router.protocol.errors import ApiError, render
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.protocol.plugins.content_filter import ContentFilter
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.guardrail_filters import from_text
from router.protocol.plugins.prepare import ContextOf
from router.protocol.presets.apply import apply
from router.protocol.presets.preset import Api, Preset
from router.protocol.presets.reference import reference_in
from router.protocol.request import Request
from router.protocol.skin import RenderError

_NONE_FETCHED: Fetched = MappingProxyType({})
_LARGE_BODY = 16_384  # bytes: all built-in filters together take 0.3 ms for a KiB, most of it for injections
_LARGE_PATTERNS = 2_048  # characters of a key's own patterns, whose compilation and worst case take as long
_KEPT_FILTERS = 512  # keys' sets of filters; keys of one guardrail share one


class Parse(Protocol):
    """Reads a body of one route."""

    def __call__(
        self,
        raw: bytes,
        limits: Limits,
        *,
        lengths: Lengths,
        caller: Caller,
        seeds: Mapping[str, int],
        fetched: Fetched,
        context_of: ContextOf,
        filters: Sequence[AnyFilter] = (),
    ) -> Request: ...


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask."""

    parse: Parse
    render_error: RenderError = render  # in the words of its API
    api: Api = Api.CHAT  # in whose words a preset is put in


@dataclass(frozen=True, slots=True)
class Filters:
    """Of one key."""

    all: tuple[AnyFilter, ...] = ()
    are_large: bool = False


@lru_cache(maxsize=_KEPT_FILTERS)
def filters_of(texts: tuple[str, ...]) -> Filters:
    """See `Key.filters`."""
    filters = tuple(map(from_text, texts))
    own = sum(len(each.pattern) for each in filters if isinstance(each, ContentFilter))
    return Filters(filters, own > _LARGE_PATTERNS)


class FindPreset(Protocol):
    """See `store.known_presets.KnownPresets.find`."""

    async def __call__(self, workspace: str, slug: str) -> Preset | None: ...


@dataclass(frozen=True, slots=True)
class Read:
    """A request, and the preset that it came from."""

    request: Request
    preset: Preset | None = None


class Reader:
    """One per router.

    Args:
        limits: how large requests may be.
        lengths: what is known of tokens' lengths.
        seeds: of the chains of prompts to models that are adapters, by the model's slug.
        context_of: the longest prompt that a model's pools take.
        schemas: how many different grammars each key may have compiled.
        fetch: gets what a request only names.
        presets: finds presets; None: there are none here.
        keeps_source: there are providers that get the caller's own fields, and not those for our engines.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        lengths: Lengths,
        seeds: Mapping[str, int],
        context_of: ContextOf,
        schemas: SchemaQuota,
        fetch: Callable[[Unfetched], Awaitable[Fetched]],
        presets: FindPreset | None,
        keeps_source: bool,
        clock: Callable[[], float],
    ) -> None:
        self.limits = limits
        self._lengths = lengths
        self._seeds = seeds
        self._context_of = context_of
        self._schemas = schemas
        self._fetch = fetch
        self._presets = presets
        self._keeps_source = keeps_source
        self._clock = clock

    async def read(self, route: Route, raw: bytes, key: Key, caller: Caller, place: Place) -> Read:
        """
        Raises:
            ApiError: the request cannot be served; the message begins with the field at fault.
        """
        preset: Preset | None = None
        if (reference := reference_in(raw)) is not None:
            preset = await self._preset(key, reference.slug)
            raw = apply(raw, reference, preset, route.api, self.limits)
            place.take(len(raw))
        filters = filters_of(key.filters)
        parse = partial(
            route.parse,
            raw,
            self.limits,
            lengths=self._lengths,
            caller=caller,
            seeds=self._seeds,
            context_of=self._context_of,
            filters=filters.all,
        )
        is_long = filters.are_large or (bool(filters.all) and len(raw) > _LARGE_BODY)
        try:
            request = await _parsed(partial(parse, fetched=_NONE_FETCHED), is_long=is_long)
        except Unfetched as unfetched:
            fetched = await self._fetch(unfetched)
            place.take(sum(map(len, fetched.values())))
            request = await _parsed(partial(parse, fetched=fetched), is_long=is_long)
        if not self._keeps_source:
            request.source = None  # it holds the whole text of the request
        self._check_grammar(key, request)
        return Read(request, preset)

    async def _preset(self, key: Key, slug: str) -> Preset:
        preset = None if self._presets is None else await self._presets(key.workspace, slug)
        if preset is None:
            raise ApiError("not_found", f"Preset {slug} not found", field="preset")
        return preset

    def _check_grammar(self, key: Key, request: Request) -> None:
        """Each grammar is compiled by engines and kept there: many different ones are an attack on their memory."""
        if request.constraint is None:
            return
        wait_s = self._schemas.admit(key.id, request.constraint, self._clock())
        if wait_s is not None:
            raise ApiError(
                "rate_limit_exceeded",
                "Too many different schemas or grammars within the hour; use those you have, or wait.",
                retry_after_s=wait_s,
                limit="schema_quota",
            )


async def _parsed(parse: Callable[[], Request], *, is_long: bool) -> Request:
    return await asyncio.to_thread(parse) if is_long else parse()
