"""An answer's bytes as vLLM 0.29 writes them: pydantic's JSON with its explicit nulls, one event a token.

The ends of a stream's ordinary chunks are made once per answer; a token is two concatenations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

VERSION = "0.29.0"
FINGERPRINT = b'"system_fingerprint":"vllm-0.29.0-simulated"'
DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of tokens, for `usage`."""

    prompt: int
    completion: int
    cached: int
    created: int | None = None  # that the prompt brought into the cache; told of chats alone
    image: int = 0  # of the prompt's

    def chunk(self) -> bytes:
        """As the last chunk of a stream has it: without nulls."""
        created = b"" if self.created is None else b',"created_cache_tokens":%d' % self.created
        images = b',"multimodal_tokens":{"image":%d}' % self.image if self.image else b""
        return b'{%b,"prompt_tokens_details":{"cached_tokens":%d%b%b}}' % (self._sums(), self.cached, created, images)

    def whole(self) -> bytes:
        """As a whole answer has it."""
        created = b"null" if self.created is None else b"%d" % self.created
        images = b'{"image":%d}' % self.image if self.image else b"null"
        return (
            b'{%b,"prompt_tokens_details":{"cached_tokens":%d,"created_cache_tokens":%b,"multimodal_tokens":%b},'
            b'"completion_tokens_details":null}' % (self._sums(), self.cached, created, images)
        )

    def _sums(self) -> bytes:
        total = self.prompt + self.completion
        return b'"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d' % (self.prompt, total, self.completion)


class Writer:
    """Writes one answer, streamed or whole.

    Args:
        is_chat: or a text completion.
        answer_id: with its prefix, `chatcmpl-` or `cmpl-`.
        created: Unix seconds.
        model: the name that is served.
        prompt_ids: given where the request wants token ids back, else None.
    """

    def __init__(
        self, *, is_chat: bool, answer_id: str, created: int, model: str, prompt_ids: Sequence[int] | None
    ) -> None:
        self._is_chat = is_chat
        self._prompt_ids = prompt_ids
        self._id, self._model, self._created = msgspec.json.encode(answer_id), msgspec.json.encode(model), created
        kind = b"chat.completion.chunk" if is_chat else b"text_completion"
        self._head = b"data: " + self._identity(kind) + b',"choices":['
        if is_chat:
            self._open = self._head + b'{"index":0,"delta":{"content":"'
            self._close = b'"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n'
        else:
            self._open = self._head + b'{"index":0,"text":"'
            self._close = (
                b'","logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}'
                b"\n\n"
            )

    def first(self) -> bytes:
        """The event before the first token: the role, of a chat."""
        if not self._is_chat:
            return b""
        choice = b'{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}'
        ids = msgspec.json.encode(self._prompt_ids)
        return b'%b%b],"prompt_token_ids":%b,"prompt_text":null}\n\n' % (self._head, choice, ids)

    def token(self, text: bytes, token_id: int, *, is_first: bool) -> bytes:
        """An ordinary token. `text` needs no escaping."""
        if self._prompt_ids is None:
            return self._open + text + self._close
        close = self._close.replace(b'"token_ids":null', b'"token_ids":[%d]' % token_id)
        if is_first and not self._is_chat:
            ids = b'"prompt_token_ids":' + msgspec.json.encode(self._prompt_ids)
            close = close.replace(b'"prompt_token_ids":null', ids)
        return self._open + text + close

    def last(self, text: bytes, token_id: int, finish_reason: str, stop_reason: str | None, *, is_end: bool) -> bytes:
        """The last token. `is_end`: no usage follows."""
        nulls = b"" if self._is_chat else b'"prompt_token_ids":null,'
        return (
            self._open
            + text
            + (
                b'"%b,"logprobs":null,"finish_reason":"%b","stop_reason":%b,%b"token_ids":%b}]%b}\n\n'
                % (
                    b"}" if self._is_chat else b"",
                    finish_reason.encode(),
                    msgspec.json.encode(stop_reason),
                    nulls,
                    self._ids([token_id]),
                    b"," + FINGERPRINT if is_end else b"",
                )
            )
        )

    def usage(self, counts: Counts) -> bytes:
        """The event after the last token, where it is asked for."""
        return b'%b],"usage":%b,%b}\n\n' % (self._head, counts.chunk(), FINGERPRINT)

    def whole(self, text: bytes, ids: Sequence[int], finish: str, stop_reason: str | None, counts: Counts) -> bytes:
        """All of it, not streamed."""
        ends = b'"logprobs":null,"finish_reason":"%b","stop_reason":%b,"token_ids":%b' % (
            finish.encode(),
            msgspec.json.encode(stop_reason),
            self._ids(ids),
        )
        prompt_ids = msgspec.json.encode(self._prompt_ids)
        if self._is_chat:
            message = (
                b'{"role":"assistant","content":"%b","refusal":null,"annotations":null,"audio":null,'
                b'"function_call":null,"reasoning":null}' % text
            )
            choice = b'{"index":0,"message":%b,%b,"routed_experts":null}' % (message, ends)
            more = b',"prompt_logprobs":null,"prompt_token_ids":%b,"prompt_text":null' % prompt_ids
        else:
            choice = (
                b'{"index":0,"text":"%b",%b,"prompt_logprobs":null,"prompt_token_ids":%b,"routed_experts":null}'
                % (
                    text,
                    ends,
                    prompt_ids,
                )
            )
            more = b""
        kind = b"chat.completion" if self._is_chat else b"text_completion"
        return b'%b,"choices":[%b],"service_tier":null,%b,"usage":%b%b,%b}' % (
            self._identity(kind),
            choice,
            FINGERPRINT,
            counts.whole(),
            more,
            b'"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null',
        )

    def _identity(self, kind: bytes) -> bytes:
        return b'{"id":%b,"object":"%b","created":%d,"model":%b' % (self._id, kind, self._created, self._model)

    def _ids(self, ids: Sequence[int]) -> bytes:
        return b"null" if self._prompt_ids is None else msgspec.json.encode(list(ids))


def framed(event: bytes) -> bytes:
    """One event as one HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(event), event)
