"""A cheap upstream in vLLM's shapes, so that what is measured is what stands in front of it.

`python -m bench.upstream` prints its port on one line and serves until its standard input closes. It thinks nothing and
waits for nothing: a chat completion is answered at once, a streamed one gets its first token at once and then one token
every `interval_s`, each its own HTTP chunk and its own write, as vLLM does. `PUT /pace/<seconds>` sets the interval.
"""

import asyncio
import sys
from itertools import count
from typing import cast

import httptools
import msgspec
import uvloop

MODEL = "cheap"
CREATED = 1_763_800_000  # any time; clients only see that it is one
TEXT = "The quick brown fox jumps over the lazy dog and runs away. " * 5
METRICS = "".join(
    f'# TYPE {name} {kind}\n{name}{{{{engine="0",model_name="{MODEL}"}}}} {value}\n'  # braces doubled for format()
    for name, kind, value in (
        ("vllm:num_requests_running", "gauge", "{running}.0"),
        ("vllm:num_requests_waiting", "gauge", "0.0"),
        ("vllm:kv_cache_usage_perc", "gauge", "0.0"),
        ("vllm:prompt_tokens_total", "counter", "{served}.0"),
        ("vllm:generation_tokens_total", "counter", "{served}.0"),
        ("vllm:prefix_cache_queries_total", "counter", "0.0"),
        ("vllm:prefix_cache_hits_total", "counter", "0.0"),
    )
)
USAGE = '{"prompt_tokens":50,"total_tokens":%d,"completion_tokens":%d,"prompt_tokens_details":{"cached_tokens":0}}'


class Ask(msgspec.Struct):
    """What it reads of a request."""

    stream: bool = False
    max_tokens: int = 64


class State:
    """Shared by all connections of the process."""

    def __init__(self) -> None:
        self.interval_s = 0.05
        self.running = 0
        self.served = 0
        self.ids = count()


class Upstream(asyncio.Protocol):
    """One connection. Requests come one after another; nobody here pipelines."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []
        self._tick: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._tick is not None:
            self._tick.cancel()
            self._state.running -= 1

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        url, self._url = self._url, b""
        body, self._body = b"".join(self._body), []
        if url == b"/v1/chat/completions":
            self._chat(msgspec.json.decode(body, type=Ask))
        elif url == b"/metrics":
            self._answer(METRICS.format(running=self._state.running, served=self._state.served), kind="text/plain")
        elif url == b"/v1/models":
            self._answer(f'{{"object":"list","data":[{{"id":"{MODEL}","object":"model","owned_by":"bench"}}]}}')
        elif url == b"/health":
            self._answer("", kind="text/plain")
        elif url.startswith(b"/pace/"):
            self._state.interval_s = float(url[len(b"/pace/") :])
            self._answer("{}")
        else:
            self._answer('{"error":{"message":"Not Found","code":404}}', status="404 Not Found")

    def _chat(self, ask: Ask) -> None:
        self._state.served += 1
        chat_id = f"chatcmpl-{next(self._state.ids):032x}"
        if ask.stream:
            self._state.running += 1
            self._start(chat_id, ask.max_tokens)
        else:
            usage = USAGE % (50 + ask.max_tokens, ask.max_tokens)
            self._answer(
                f'{{"id":"{chat_id}","object":"chat.completion","created":{CREATED},"model":"{MODEL}","choices":[{{'
                f'"index":0,"message":{{"role":"assistant","content":"{TEXT}","refusal":null,"annotations":null,'
                f'"audio":null,"function_call":null,"reasoning":null}},"logprobs":null,"finish_reason":"stop",'
                f'"stop_reason":null,"token_ids":null}}],"service_tier":null,"system_fingerprint":null,'
                f'"usage":{usage},"prompt_logprobs":null,"prompt_token_ids":null,"kv_transfer_params":null}}'
            )

    def _start(self, chat_id: str, max_tokens: int) -> None:
        head = f'{{"id":"{chat_id}","object":"chat.completion.chunk","created":{CREATED},"model":"{MODEL}",'

        def choice(delta: str, end: str, more: str = "") -> bytes:
            return _event(
                f'{head}"choices":[{{"index":0,"delta":{{{delta}}},"logprobs":null,"finish_reason":{end}}}]{more}}}'
            )

        nulls = ',"prompt_token_ids":null,"prompt_text":null'
        first = choice('"role":"assistant","content":""', "null", nulls)
        token = choice('"content":" token"', 'null,"token_ids":null')
        usage = USAGE % (50 + max_tokens, max_tokens)
        last = (
            choice('"content":" end"', '"length","stop_reason":null,"token_ids":null')
            + _event(f'{head}"choices":[],"usage":{usage}}}')
            + _event("[DONE]")
            + b"0\r\n\r\n"
        )
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + first
        )
        self._send_token(token, last, max_tokens)

    def _send_token(self, token: bytes, last: bytes, left: int) -> None:
        if left > 1:
            self._transport.write(token)
            self._tick = self._loop.call_later(self._state.interval_s, self._send_token, token, last, left - 1)
        else:
            self._tick = None
            self._state.running -= 1
            self._transport.write(last)

    def _answer(self, body: str, *, status: str = "200 OK", kind: str = "application/json") -> None:
        data = body.encode()
        head = f"HTTP/1.1 {status}\r\nserver: uvicorn\r\ncontent-length: {len(data)}\r\ncontent-type: {kind}\r\n\r\n"
        self._transport.write(head.encode() + data)


def _event(data: str) -> bytes:
    """One server-sent event as one HTTP chunk."""
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    state = State()
    server = await loop.create_server(lambda: Upstream(state), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
