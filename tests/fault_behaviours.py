"""What a FaultServer can do to a request: one function per fault, and the good answers to compare with.

The shapes are vLLM's. Behaviours that go on for ever end when the client closes its connection.
"""

import asyncio
from collections.abc import Sequence

from tests.faults import Behaviour, Exchange

PREFIX = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":['
COMMENT = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"


def token(text: str) -> bytes:
    """One event as vLLM sends it."""
    delta = b'{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}' % text.encode()
    return PREFIX + delta + b"]}\n\n"


LAST = PREFIX + b'{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop"}]}\n\n'
USAGE = PREFIX + b'],"usage":{"prompt_tokens":7,"total_tokens":10,"completion_tokens":3}}\n\n'
STREAM = (token("Hel"), token("lo"), LAST, USAGE, DONE)
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":7,"total_tokens":10,"completion_tokens":3}}'
)
ERROR = b'{"error":{"message":"max_tokens must be at least 1","type":"BadRequestError","param":null,"code":400}}'


def head(status: int = 200, content_type: str = "application/json", **headers: str) -> bytes:
    """A response head; underscores in names become hyphens."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


STREAM_HEAD = head(content_type="text/event-stream; charset=utf-8", transfer_encoding="chunked")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


def whole(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> Behaviour:
    """A complete answer with a length."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(head(status, content_type, content_length=str(len(body)), **headers) + body)

    return behaviour


def stream(events: Sequence[bytes] = STREAM) -> Behaviour:
    """A complete stream, each event its own chunk."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + b"".join(map(chunk, events)) + b"0\r\n\r\n")

    return behaviour


def slow_stream(events: Sequence[bytes], go: asyncio.Queue[None]) -> Behaviour:
    """One event for each item put into `go`; the first of them is awaited before the first event."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for event in events:
            await go.get()
            exchange.send(chunk(event))
        exchange.send(b"0\r\n\r\n")

    return behaviour


def hang(sent: bytes = b"") -> Behaviour:
    """Send this (nothing: accept, then silence), then nothing more until the client goes."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(sent)
        await exchange.gone.wait()

    return behaviour


def comments_for_ever(before: bytes = STREAM_HEAD, every_s: float = 0.005) -> Behaviour:
    """Send this, then keep-alive comments, as an engine that has hung but whose HTTP server lives."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(before)
        while not exchange.gone.is_set():
            exchange.send(chunk(COMMENT))
            try:
                await asyncio.wait_for(exchange.gone.wait(), every_s)
            except TimeoutError:
                continue

    return behaviour


def then_close(sent: bytes = b"") -> Behaviour:
    """Send this and close: without a head a lost process, with half a body a truncation."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(sent)
        exchange.close()

    return behaviour


def then_reset(sent: bytes, go: asyncio.Event) -> Behaviour:
    """Send this and reset the connection when told to: a reset takes away what the client has not read yet."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(sent)
        await go.wait()
        exchange.reset()

    return behaviour


def one_byte_at_a_time(data: bytes) -> Behaviour:
    """Every byte its own write."""

    async def behaviour(exchange: Exchange) -> None:
        for index in range(len(data)):
            exchange.send(data[index : index + 1])
            await asyncio.sleep(0)

    return behaviour


async def reset_before_head(exchange: Exchange) -> None:
    """Reset without a word, as by a process that was killed."""
    exchange.reset()


good_answer = whole(200, ANSWER)
good_stream = stream()
internal_error = whole(500, b'{"error":{"message":"boom","code":500}}')
overloaded = whole(503, b'{"error":{"message":"busy","code":503}}', retry_after="2")
rate_limited = whole(429, b'{"error":{"message":"slow down","code":429}}', retry_after="1")
bad_request = whole(400, ERROR)
html = whole(200, b"<html>hello</html>", "text/html")
garbage = then_close(b"\x16\x03\x01 what is this\r\n\r\n")
silent = hang()
closed_before_head = then_close()
truncated_stream = then_close(STREAM_HEAD + chunk(STREAM[0]) + b"40\r\nhalf of a ch")
stream_cut_between_chunks = then_close(STREAM_HEAD + chunk(STREAM[0]))
stalled_stream = hang(STREAM_HEAD + chunk(STREAM[0]))
stalled_stream_with_comments = comments_for_ever(STREAM_HEAD + chunk(STREAM[0]))
shorter_than_its_length = then_close(head(content_length=str(len(ANSWER) + 10)) + ANSWER)
two_megabyte_event = stream((b"data: " + b"x" * 2_097_152 + b"\n\n", DONE))
byte_by_byte_stream = one_byte_at_a_time(STREAM_HEAD + b"".join(map(chunk, STREAM)) + b"0\r\n\r\n")
