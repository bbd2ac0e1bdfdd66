"""One provider that is not ours: sends to it within its allotment, and brings back answers as our engines give them.

    a place in the allotment → send → judge the refusal, or translate the answer → the place back

A refusal comes back in the router's words, and never with the key in it. Of a stream nothing is passed on before there
is something of an answer, so that a provider which fails after its head is as invisible as one that fails before.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from router.policy.allotment import Allotment
from router.policy.attempt import Attempt
from router.policy.catalog import Dialect
from router.policy.outcome import Outcome, Phase, StreamBroken, Verdict
from router.protocol.dialects.anthropic_answer import whole
from router.protocol.dialects.anthropic_stream import AnthropicStream
from router.protocol.dialects.errors import in_answer, judged
from router.upstream.client import FOREIGN, Client
from router.upstream.foreign_reply import ForeignReply, Translate
from router.upstream.judgement import of_clock
from router.upstream.provider_judgement import of_head
from router.upstream.provider_settings import ProviderSettings
from router.upstream.reply import Reply
from router.upstream.settings import ClientSettings

CHECK_PATH = "/models"


class Provider:
    """Shared by all requests of a router. Create it inside a running event loop; `aclose` it.

    Args:
        settings: which provider.
        client: limits of what is read.
        clock: monotonic seconds.
        wall_clock: Unix seconds.

    Raises:
        ValueError: its certificates cannot be used.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        client: ClientSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = settings.base
        self.has_check = settings.check == "models"
        self._dialect = settings.dialect
        self._secrets = settings.secrets()
        self._secret_bytes = tuple(secret.encode() for secret in self._secrets)
        self._clock = clock
        tls = settings.tls()
        self._client = Client(
            replace(client or ClientSettings(), keepalive_s=settings.keepalive_s),
            own_headers=settings.own_headers(),
            always=FOREIGN,
            wall_clock=wall_clock,
            tls=lambda: tls,
            judge=of_head,
        )
        self.allotment = Allotment(concurrent=settings.max_concurrent, per_min=settings.requests_per_min)

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> "Reply | ForeignReply":
        """As `Client.send`. Always close the reply."""
        refused = self.allotment.take(self._clock())
        if refused is not None:
            return Reply(refused)
        place = _Place(self.allotment)
        try:
            loop = asyncio.get_running_loop()
            first_at = loop.time() + min(attempt.deadlines.first_token_s, attempt.deadlines.total_s)
            reply = await self._client.send(attempt, path, body, stream=stream)
            if reply.outcome.verdict is not Verdict.OK:
                reply = self._refused(reply)
            elif stream:
                return await self._streamed(reply, place, first_at)
            else:
                reply = self._whole(reply)
        except BaseException:
            place.free()
            raise
        place.free()
        return reply

    async def check(self, attempt: Attempt) -> Reply:
        """Ask for the list of models, which costs nothing: does it answer, and take our key?"""
        return await self._client.send(attempt, CHECK_PATH, b"", stream=False, method="GET")

    async def aclose(self) -> None:
        """Close all connections, also those still in use."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _refused(self, reply: Reply) -> Reply:
        if not reply.status:
            return reply
        if reply.status == 200:  # not what was asked for: maybe an error all the same
            return self._error_in(reply) or reply
        outcome, body = judged(reply.outcome, reply.body, self._secrets)
        return Reply(outcome, reply.status, body)

    def _error_in(self, reply: Reply) -> Reply | None:
        found = in_answer(reply.body, self._secrets) if b'"error"' in reply.body else None
        return None if found is None else Reply(found[0], reply.status, found[1])

    def _whole(self, reply: Reply) -> Reply:
        if (error := self._error_in(reply)) is not None:
            return error
        body = reply.body
        for secret in self._secret_bytes:
            body = body.replace(secret, b"<key>")
        if self._dialect is Dialect.ANTHROPIC:
            try:
                body = whole(body)
            except ValueError as error:
                return Reply(Outcome(Verdict.UNAVAILABLE, 200, f"not a message: {error}"), 200)
        return Reply(reply.outcome, reply.status, body)

    async def _streamed(self, reply: Reply, place: "_Place", first_at: float) -> "Reply | ForeignReply":
        translate: Translate = AnthropicStream().feed if self._dialect is Dialect.ANTHROPIC else _as_it_is
        foreign = ForeignReply(reply, translate, self._secret_bytes, place.free)
        try:
            async with asyncio.timeout_at(first_at):
                if await foreign.begin():
                    return foreign
            failed = Outcome(Verdict.UNAVAILABLE, 200, "the stream was empty")
        except TimeoutError:
            failed = of_clock(Phase.FIRST_TOKEN)
        except StreamBroken as broken:
            failed = broken.outcome
            if failed.verdict is Verdict.BROKEN:  # nothing was passed on yet
                failed = replace(failed, verdict=Verdict.UNAVAILABLE, status=200)
        except BaseException:
            foreign.close()
            raise
        foreign.close()
        return Reply(failed, 200)


class _Place:
    """Of an allotment; given back once."""

    def __init__(self, allotment: Allotment) -> None:
        self._allotment: Allotment | None = allotment

    def free(self) -> None:
        allotment, self._allotment = self._allotment, None
        if allotment is not None:
            allotment.give_back()


def _as_it_is(data: bytes) -> bytes:
    return data
