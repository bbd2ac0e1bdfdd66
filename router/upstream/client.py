"""Sends a request to one endpoint and brings back what it said, up to the first byte that counts.

An endpoint's failure is a Reply, never an exception; only a cancellation passes, after the connection was closed.
Bytes are passed on untouched; of the client's headers only those go on that `headers.forwardable` lets through.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Self, TypeAlias

from router.policy.attempt import Attempt
from router.policy.outcome import Outcome, Phase, Verdict
from router.upstream.connections import Connections
from router.upstream.exchange import Exchange
from router.upstream.failed import Failed
from router.upstream.first_bytes import first_bytes, read_whole
from router.upstream.headers import forwardable
from router.upstream.judgement import of_answer, of_clock, of_failure, of_head
from router.upstream.reply import Reply
from router.upstream.request_head import RequestHead
from router.upstream.settings import ClientSettings

_NONE: Mapping[str, str] = {}
FOREIGN: Mapping[str, str] = {
    "Content-Type": "application/json",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": "tramontane",
}
_ENGINE: Mapping[str, str] = {
    **FOREIGN,
    # To Ray Serve's direct ingress: let vLLM itself notice that a client is gone. Ray would cancel vLLM's handler from
    # outside, and of an answer that is not streamed vLLM then goes on generating.
    "X-Request-Disconnect-Disabled": "?1",
}

Judge: TypeAlias = Callable[[int, Mapping[str, str], float, float], Outcome]


class Client:
    """Shared by all requests of a router. Create it inside a running event loop; `aclose` it.

    `own_headers` go with every request, e.g. the engines' API key. `wall_clock` gives Unix seconds. `tls` makes the
    context of TLS connections, which says whom to trust. `always`: headers of every request that say nothing of us
    but what we read. `judge`: the verdict on a status other than 200, with its headers, at a Unix time, no wait longer
    than so many seconds.
    """

    def __init__(
        self,
        settings: ClientSettings | None = None,
        *,
        own_headers: Mapping[str, str] = _NONE,
        always: Mapping[str, str] = _ENGINE,
        wall_clock: Callable[[], float] = time.time,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        judge: Judge = of_head,
    ) -> None:
        self._settings = settings or ClientSettings()
        self._connections = Connections(self._settings, tls=tls)
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self._judge_head = judge
        headers = {**always, **own_headers}
        self._head = lru_cache(maxsize=1024)(lambda base, path, method: RequestHead.of(base + path, headers, method))

    async def send(
        self,
        attempt: Attempt,
        path: str,
        body: bytes,
        *,
        stream: bool,
        headers: Mapping[str, str] = _NONE,
        method: str = "POST",
    ) -> Reply:
        """Send `body` to `path` of the attempt's endpoint.

        Returns when the first body byte of a stream is there, or the whole of any other answer. Always close the
        reply: that of a stream holds a connection.
        """
        loop, limits = self._loop, attempt.deadlines
        started = loop.time()
        total_at = first_at = started + limits.total_s
        phase = Phase.TOTAL
        if stream and limits.first_token_s < limits.total_s:
            first_at, phase = started + limits.first_token_s, Phase.FIRST_TOKEN
        if limits.total_s <= 0:  # a clock that has run out would ring only after the connection was made
            return Reply(of_clock(Phase.TOTAL))
        request = self._head(attempt.endpoint.url, path, method)
        head = request.write(len(body), forwardable(headers) if headers else _NONE)
        exchange: Exchange | None = None
        try:
            async with asyncio.timeout_at(first_at) as clock:
                exchange = await self._connections.ask(request.origin, head, body, connect_s=limits.connect_s)
                outcome = self._judge(exchange, stream=stream)
                if stream and outcome.verdict is Verdict.OK:
                    data, progress = await first_bytes(exchange, self._settings.max_error_bytes)
                    if not data:
                        return Reply(Outcome(Verdict.UNAVAILABLE, 200, "the stream was empty"), 200)
                    reply = Reply(outcome, 200, data)
                    reply.continue_with(exchange, progress, idle_s=limits.idle_s, total_at=total_at)
                    exchange = None  # now the reply's
                    return reply
                if not exchange.is_complete and loop.time() + limits.idle_s < first_at:
                    phase = Phase.IDLE  # what follows a head comes at once, or it hangs
                    clock.reschedule(loop.time() + limits.idle_s)
                return await self._whole(exchange, outcome)
        except TimeoutError:
            return Reply(of_clock(phase))
        except Failed as failed:
            return Reply(of_failure(failed, has_begun=False))
        finally:
            if exchange is not None:
                exchange.close()

    async def aclose(self) -> None:
        """Close all connections, also those still in use."""
        await self._connections.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _judge(self, exchange: Exchange, *, stream: bool) -> Outcome:
        if exchange.status == 200:
            return of_answer(exchange.headers, stream=stream)
        longest_s = self._settings.max_retry_after_s
        return self._judge_head(exchange.status, exchange.headers, self._wall_clock(), longest_s)

    async def _whole(self, exchange: Exchange, outcome: Outcome) -> Reply:
        is_ok = outcome.verdict is Verdict.OK
        limit = self._settings.max_body_bytes if is_ok else self._settings.max_error_bytes
        body, is_whole = await read_whole(exchange, limit)
        if is_ok and not is_whole:  # not retryable: another endpoint would answer as much
            return Reply(Outcome(Verdict.BROKEN, 200, f"the answer is larger than {limit} bytes"), 200)
        return Reply(outcome, exchange.status, body)
