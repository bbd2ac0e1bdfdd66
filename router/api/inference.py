"""The inference routes: /chat/completions and /completions, streaming and not. Plain ASGI applications."""

import logging
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from router.api.asked import Asked
from router.api.auth import Keys
from router.api.exchange import AsgiClient, ClientGone, Receive, Scope, Send, read_body, while_connected
from router.gateway import Gateway
from router.generation import Generation
from router.policy.call import Caller
from router.policy.length import Lengths
from router.protocol.errors import ApiError
from router.protocol.generation import generation_id
from router.protocol.limits import Limits
from router.protocol.request import Request, parse_chat, parse_completion


class Parse(Protocol):
    """Reads a body of one route."""

    def __call__(
        self, raw: bytes, limits: Limits, *, lengths: Lengths, caller: Caller, seeds: Mapping[str, int]
    ) -> Request: ...


ROUTES: Mapping[str, Parse] = MappingProxyType({"/chat/completions": parse_chat, "/completions": parse_completion})
logger = logging.getLogger(__name__)


class Inference:
    """Authenticate, read, parse, hand over to the gateway; errors in the API's own shape."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        keys: Keys,
        limits: Limits,
        lengths: Lengths,
        seeds: Mapping[str, int],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        rng: random.Random,
        on_start: Callable[[], None],
        on_refused: Callable[[ApiError], None],
    ) -> None:
        self._gateway = gateway
        self._keys = keys
        self._limits = limits
        self._lengths = lengths
        self._seeds = seeds
        self._clock = clock
        self._wall_clock = wall_clock
        self._rng = rng
        self._on_start = on_start
        self._on_refused = on_refused

    async def handle(self, parse: Parse, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange whose body `parse` reads."""
        started, created = self._clock(), self._wall_clock()
        client = AsgiClient(send, generation_id(created, self._rng))
        try:
            generation = await self._admit(scope, receive, parse, client, started, created)
        except ClientGone:
            return
        except ApiError as error:
            self._on_refused(error)
            await client.fail(error, unread=receive if error.status in (401, 413) else None)
            return
        self._on_start()
        try:
            await while_connected(receive, client, self._gateway.answer(generation, client))
        except ClientGone:
            logger.debug("%s: the client left", generation.id)
        except ApiError as error:
            await client.fail(error)
        except Exception:
            logger.exception("%s: unexpected failure", generation.id)
            if client.has_started:
                raise  # the server cuts the connection: better than an answer that looks whole
            await client.fail(ApiError("server", "Internal Server Error"))

    async def _admit(
        self, scope: Scope, receive: Receive, parse: Parse, client: AsgiClient, started: float, created: float
    ) -> Generation:
        key_name = self._keys.authenticate(scope["headers"])
        asked = Asked.of(scope["headers"])
        raw = await read_body(scope, receive, self._limits.body_bytes)
        caller = Caller(key_name, self._keys.priority(key_name), asked.timeout_s)
        request = parse(raw, self._limits, lengths=self._lengths, caller=caller, seeds=self._seeds)
        return Generation(
            id=client.generation_id,
            request=request,
            started=started,
            created=int(created),
            key_name=key_name,
            wants_metadata=asked.wants_metadata,
        )
