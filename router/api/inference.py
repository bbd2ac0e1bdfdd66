"""The inference routes: /chat/completions and /completions, streaming and not. Plain ASGI applications."""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

import msgspec

from router.accounting import Accounting, Ticket
from router.api.asked import Asked
from router.api.auth import Authenticator
from router.api.exchange import (
    AsgiClient,
    ClientGone,
    Receive,
    Scope,
    Send,
    SkinnedClient,
    declared_length,
    read_body,
    while_connected,
)
from router.api.room import Place, Room
from router.company import Client
from router.gateway import Gateway
from router.generation import Generation
from router.plugins.caching import recorded, replay
from router.plugins.response_cache import CachedAnswer, ResponseCache
from router.policy.call import Caller
from router.policy.key import Key
from router.policy.length import Lengths
from router.policy.outcome import Outcome, Verdict
from router.policy.schema_quota import SchemaQuota
from router.protocol.denials import rate_headers
from router.protocol.embeddings import parse_embeddings
from router.protocol.errors import ApiError, render
from router.protocol.generation import generation_id
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.protocol.messages_api.count import parse_count
from router.protocol.messages_api.errors import render_error as render_messages_error
from router.protocol.messages_api.parse import parse_messages
from router.protocol.plugins.cache_asked import CacheAsked, cache_key, hit_headers, miss_headers
from router.protocol.plugins.prepare import ContextOf
from router.protocol.plugins.replay import Name
from router.protocol.request import Request, parse_chat, parse_completion
from router.protocol.rerank import parse_rerank
from router.protocol.responses.errors import render_error as render_responses_error
from router.protocol.responses.parse import parse_responses
from router.protocol.skin import RenderError


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
    ) -> Request: ...


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask."""

    parse: Parse
    render_error: RenderError = render  # in the words of its API


ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "/chat/completions": Route(parse_chat),
        "/completions": Route(parse_completion),
        "/embeddings": Route(parse_embeddings),
        "/rerank": Route(parse_rerank),
        "/responses": Route(parse_responses, render_responses_error),
        "/messages": Route(parse_messages, render_messages_error),
        "/messages/count_tokens": Route(parse_count, render_messages_error),
    }
)
_NONE_FETCHED: Fetched = MappingProxyType({})
_SMALL_BODY = 65_536  # bytes that are let in and dropped when a request is refused unread, to keep the connection
logger = logging.getLogger(__name__)


class Inference:
    """Authenticate, admit, read, parse, hand over to the gateway; errors in the API's own shape."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        keys: Authenticator,
        accounting: Accounting,
        room: Room,
        schemas: SchemaQuota,
        fetch: Callable[[Unfetched], Awaitable[Fetched]],
        limits: Limits,
        lengths: Lengths,
        seeds: Mapping[str, int],
        salt: Callable[[Key], str],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        rng: random.Random,
        on_start: Callable[[], None],
        on_refused: Callable[[ApiError], None],
        keeps_source: bool = False,
        cache: ResponseCache,
        context_of: ContextOf,
    ) -> None:
        """`fetch`: gets the pictures that a request only names. `salt`: of a key's tenant. `keeps_source`: there are
        providers that get the caller's own fields, and not those for our engines.
        """
        self._gateway = gateway
        self._keys = keys
        self._accounting = accounting
        self._room = room
        self._schemas = schemas
        self._fetch = fetch
        self._limits = limits
        self._lengths = lengths
        self._seeds = seeds
        self._salt = salt
        self._clock = clock
        self._wall_clock = wall_clock
        self._rng = rng
        self._on_start = on_start
        self._on_refused = on_refused
        self._keeps_source = keeps_source
        self._cache = cache
        self._context_of = context_of

    async def handle(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange on a route."""
        started, created = self._clock(), self._wall_clock()
        client = AsgiClient(send, generation_id(created, self._rng), route.render_error)
        ticket: Ticket | None = None
        place: Place | None = None
        is_read = False
        try:
            try:
                key = await self._keys.authenticate(scope["headers"])
                asked = Asked.of(scope["headers"])
                place = self._room.enter()
                ticket = self._accounting.admit(key)
                if (standing := ticket.standing) is not None:
                    client.headers = rate_headers(standing, created)
                raw = await read_body(scope, receive, self._limits.body_bytes, place.take)
                is_read = True
                caller = Caller(key.id, key.priority, asked.timeout_s, salt=self._salt(key))
                request = await self._parse(route.parse, raw, caller, place)
                if not self._keeps_source:
                    request.source = None  # it holds the whole text of the request
                self._check_grammar(key, request)
            except ClientGone:
                return
            except ApiError as error:
                self._on_refused(error)
                await client.fail(error, unread=receive if not is_read and _is_large(scope) else None)
                return
            generation = Generation(
                id=client.generation_id,
                request=request,
                started=started,
                created=int(created),
                key=key,
                ticket=ticket,
                wants_metadata=asked.wants_metadata,
            )
            wanted = CacheAsked.of(scope["headers"])
            name = None
            if wanted.is_wanted and self._cache.is_on:
                call = request.call
                name = cache_key(key.id, scope["path"], call.model, stream=call.stream, body=raw)
            await self._answer(generation, client, receive, wanted, name)
        finally:
            if ticket is not None:
                ticket.close()
            if place is not None:
                place.leave()

    async def _parse(self, parse: Parse, raw: bytes, caller: Caller, place: Place) -> Request:
        read = partial(
            parse,
            raw,
            self._limits,
            lengths=self._lengths,
            caller=caller,
            seeds=self._seeds,
            context_of=self._context_of,
        )
        try:
            return read(fetched=_NONE_FETCHED)
        except Unfetched as unfetched:
            fetched = await self._fetch(unfetched)
            place.take(sum(map(len, fetched.values())))
            return read(fetched=fetched)

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

    async def _answer(
        self,
        generation: Generation,
        client: AsgiClient,
        receive: Receive,
        wanted: CacheAsked,
        name: bytes | None,
    ) -> None:
        """`name`: by which the answer may be kept; None: it may not."""
        self._on_start()
        try:
            request = generation.request
            skin = request.skin
            if request.prepared is not None:
                skin = request.prepared.dress(skin, stream=request.call.stream)
            dressed: Client = client if skin is None else SkinnedClient(client, skin)
            if name is None:
                work = self._gateway.answer(generation, dressed)
            else:
                work = self._through_cache(generation, client, dressed, wanted, name)
            await while_connected(receive, client, work)
        except ClientGone:
            logger.debug("%s: the client left", generation.id)
        except ApiError as error:
            if generation.request.prepared is not None and generation.request.prepared.annotations:
                error.metadata["file_annotations"] = [*map(msgspec.Raw, generation.request.prepared.annotations)]
            await client.fail(error)
        except Exception:
            logger.exception("%s: unexpected failure", generation.id)
            if client.has_started:
                raise  # the server cuts the connection: better than an answer that looks whole
            await client.fail(ApiError("server", "Internal Server Error"))

    async def _through_cache(
        self, generation: Generation, client: AsgiClient, dressed: Client, wanted: CacheAsked, name: bytes
    ) -> None:
        """Answer out of the cache, or let the gateway answer and keep that."""
        if wanted.clears:
            self._cache.drop(name)
        kept = self._cache.get(name, self._clock())
        if kept is not None:
            age_s = self._clock() - kept.kept_at
            headers = hit_headers(age_s=age_s, ttl_s=kept.ttl_s, source_id=kept.name.generation_id)
            client.headers = [*client.headers, *headers]
            generation.outcome, generation.pool = Outcome(Verdict.OK, 200), kept.pool
            generation.finish_reason, generation.cached_from = kept.finish_reason, kept.name.generation_id
            generation.ticket.open_free(generation)
            self._gateway.over(generation)
            await replay(kept, Name(generation.id, generation.created), dressed)
            return
        client.headers = [*client.headers, *miss_headers(wanted.ttl_s)]

        def keep(data: bytes, is_stream: bool) -> CachedAnswer | None:
            outcome, pool = generation.outcome, generation.pool
            if outcome is None or outcome.verdict is not Verdict.OK or pool is None:
                return None
            own, now = Name(generation.id, generation.created), self._clock()
            return CachedAnswer(data, is_stream, own, pool, generation.finish_reason, now, wanted.ttl_s)

        await recorded(self._cache, name, dressed, partial(self._gateway.answer, generation), keep)


def _is_large(scope: Scope) -> bool:
    """A body that is not worth receiving only to drop it; one of unknown length counts as such."""
    declared = declared_length(scope)
    return declared is None or declared > _SMALL_BODY
