"""A provider behind TLS, as OpenAI, OpenRouter and Anthropic are, on loopback."""

import asyncio
import json
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from router.policy.attempt import Attempt
from router.policy.catalog import Dialect, Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.upstream.provider import Provider
from router.upstream.provider_settings import ProviderSettings
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange

KEY = "Zq7-not-like-any-other-key"
OPENAI = Pool("burst", "m", "theirs", slug="openrouter", dialect=Dialect.OPENAI)
ANTHROPIC = Pool("claude", "m", "theirs", slug="anthropic", dialect=Dialect.ANTHROPIC)
LIMITS = Deadlines(connect_s=5, first_token_s=60, idle_s=30, total_s=600)
BODY = b'{"model":"theirs"}'
COMMENT = b": OPENROUTER PROCESSING\n\n"


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs the certificates of a test, and the files it needs."""

    ca: trustme.CA
    ca_file: Path

    def server(self, name: str = "127.0.0.1", *, asks_for_one: bool = False) -> ssl.SSLContext:
        """Of a server with this name; `asks_for_one`: it wants a certificate of its clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        if asks_for_one:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context

    def settings(self, url: str, slug: str = "openrouter", **more: Any) -> ProviderSettings:
        return ProviderSettings(slug=slug, url=url, **{"key": KEY, "ca_file": self.ca_file, **more})


def authority(folder: Path) -> Authority:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Authority(ca, folder / "ca.pem")


def attempt(provider: Provider, pool: Pool = OPENAI, deadlines: Deadlines = LIMITS) -> Attempt:
    return Attempt(1, pool, Endpoint(EndpointId("e"), provider.base_url), deadlines)


def chunk(content: str, reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": reason}
    head = {"id": "gen-theirs", "object": "chat.completion.chunk", "created": 1, "model": "theirs", "provider": "Them"}
    return f"data: {json.dumps({**head, 'choices': [choice], **more})}\n\n".encode()


USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, "cost": 0.5}
OPENAI_STREAM = (COMMENT, chunk("Hel"), COMMENT, chunk("lo"), chunk("", "stop", usage=USAGE), faults.DONE)
OPENAI_ANSWER = json.dumps(
    {
        "id": "gen-theirs",
        "object": "chat.completion",
        "created": 1,
        "model": "theirs",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "theirs", "usage": {"input_tokens": 7}}
ANTHROPIC_STREAM = (
    event("message_start", message={**MESSAGE, "content": []}),
    event("ping"),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}),
    event("message_stop"),
)
ANTHROPIC_ANSWER = json.dumps(
    {
        **MESSAGE,
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 2},
    }
).encode()


def error(message: str, status: int, **headers: str) -> Behaviour:
    """A refusal as OpenAI writes it."""
    body = json.dumps({"error": {"message": message, "type": "some_error", "code": None}}).encode()
    return faults.whole(status, body, **headers)


def in_steps(events: Sequence[bytes], go: "asyncio.Queue[None]") -> Behaviour:
    """As a provider that takes its time."""
    return faults.slow_stream(events, go)


def cut_off(events: Sequence[bytes]) -> Behaviour:
    """A stream that ends in the middle, with its connection."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(faults.STREAM_HEAD + b"".join(map(faults.chunk, events)))
        exchange.close()

    return behaviour


def contents(stream: bytes) -> Iterator[str]:
    """What a stream of chunks says."""
    for line in stream.decode().split("\n\n"):
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                yield choice["delta"].get("content") or ""
