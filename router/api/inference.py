"""The inference routes, streaming and not: plain ASGI applications, all on one way."""

import copy
import logging
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from router.accounting import Accounting, Ticket
from router.api.asked import Asked
from router.api.auth import Headers
from router.api.conversations import Conversations
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
from router.api.kept_answers import KeptAnswers, Wish
from router.api.reader import Route
from router.api.room import Place, Room
from router.company import Client
from router.generation import Generation
from router.policy.call import Caller
from router.policy.key import Key
from router.protocol.denials import rate_headers
from router.protocol.embeddings import parse_embeddings
from router.protocol.errors import ApiError
from router.protocol.generation import generation_id
from router.protocol.messages_api.count import parse_count
from router.protocol.messages_api.errors import render_error as render_messages_error
from router.protocol.messages_api.parse import parse_messages
from router.protocol.presets.preset import Api
from router.protocol.request import parse_chat, parse_completion
from router.protocol.rerank import parse_rerank
from router.protocol.responses.errors import render_error as render_responses_error
from router.protocol.responses.parse import parse_responses
from router.protocol.told import told_by
from router.trace import Trace

ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "/chat/completions": Route(parse_chat),
        "/completions": Route(parse_completion),
        "/embeddings": Route(parse_embeddings),
        "/rerank": Route(parse_rerank),
        "/responses": Route(parse_responses, render_responses_error, Api.RESPONSES),
        "/messages": Route(parse_messages, render_messages_error, Api.MESSAGES),
        "/messages/count_tokens": Route(parse_count, render_messages_error, Api.MESSAGES),
    }
)
_SMALL_BODY = 65_536  # bytes that are let in and dropped when a request is refused unread, to keep the connection
logger = logging.getLogger(__name__)


class Authenticates(Protocol):
    """Says who asks; see `auth.Authenticator`."""

    async def authenticate(self, headers: Headers, *, management: bool = False) -> Key: ...


class Inference:
    """Authenticate, admit, read, parse, hand over to the gateway; errors in the words of the API that was asked."""

    def __init__(
        self,
        *,
        keys: Authenticates,
        accounting: Accounting,
        room: Room,
        reader: Conversations,
        answers: KeptAnswers,
        salt: Callable[[Key], str],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        rng: random.Random,
        on_start: Callable[[], None],
        on_refused: Callable[[ApiError], None],
    ) -> None:
        """`salt`: of a key's tenant."""
        self._keys = keys
        self._accounting = accounting
        self._room = room
        self._reader = reader
        self._answers = answers
        self._salt = salt
        self._clock = clock
        self._wall_clock = wall_clock
        self._rng = rng
        self._on_start = on_start
        self._on_refused = on_refused

    def known_by(self, keys: Authenticates) -> "Inference":
        """The same, for callers who are told by somebody else."""
        twin = copy.copy(self)
        twin._keys = keys
        return twin

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
                raw = await read_body(scope, receive, self._reader.limits.body_bytes, place.take)
                is_read = True
                caller = Caller(key.id, key.priority, asked.timeout_s, salt=self._salt(key))
                read = await self._reader.read(route, raw, key, caller, place)
            except ClientGone:
                return
            except ApiError as error:
                self._on_refused(error)
                await client.fail(error, unread=receive if not is_read and _is_large(scope) else None)
                return
            generation = Generation(
                id=client.generation_id,
                request=read.request,
                started=started,
                created=int(created),
                key=key,
                ticket=ticket,
                session=asked.session,
                wants_metadata=asked.wants_metadata,
                trace=Trace(
                    told_by(scope["headers"]),
                    media=read.request.media,
                    preset_id=None if read.preset is None else read.preset.id,
                ),
            )
            wish = self._answers.wish(generation, scope["headers"], scope["path"], raw, read.preset)
            await self._answer(generation, client, receive, wish)
        finally:
            if ticket is not None:
                ticket.close()
            if place is not None:
                place.leave()

    async def _answer(self, generation: Generation, client: AsgiClient, receive: Receive, wish: Wish) -> None:
        self._on_start()
        try:
            work = self._answers.answer(generation, client, _dressed(client, generation), wish)
            await while_connected(receive, client, work)
        except ClientGone:
            logger.debug("%s: the client left", generation.id)
        except ApiError as error:
            prepared = generation.request.prepared
            if prepared is not None and prepared.annotations:  # what was read need not be read again
                error.metadata["file_annotations"] = [*map(msgspec.Raw, prepared.annotations)]
            await client.fail(error)
        except Exception:
            logger.exception("%s: unexpected failure", generation.id)
            if client.has_started:
                raise  # the server cuts the connection: better than an answer that looks whole
            await client.fail(ApiError("server", "Internal Server Error"))


def _dressed(client: AsgiClient, generation: Generation) -> Client:
    """The client, who gets the answer in the words of its API, after the plugins had their part in it."""
    request = generation.request
    skin = request.skin
    if request.prepared is not None:
        skin = request.prepared.dress(skin, stream=request.call.stream)
    return client if skin is None else SkinnedClient(client, skin)


def _is_large(scope: Scope) -> bool:
    """A body that is not worth receiving only to drop it; one of unknown length counts as such."""
    declared = declared_length(scope)
    return declared is None or declared > _SMALL_BODY
