"""Bodies of requests, as far as the simulator reads them, and vLLM's words for what is wrong with them."""

from typing import Any

import msgspec


class Refused(Exception):
    """An answer that is an error, in vLLM's shape."""

    def __init__(self, status: int, kind: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": status}})


def bad_request(message: str, param: str | None = None) -> Refused:
    return Refused(400, "BadRequestError", message, param)


class ImageUrl(msgspec.Struct):
    url: str


class Part(msgspec.Struct):
    """Of a message's content."""

    type: str
    text: str | None = None
    image_url: ImageUrl | None = None
    uuid: str | None = None


class Message(msgspec.Struct, omit_defaults=True):
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    name: str | None = None

    def parts(self) -> list[Part]:
        """The content as parts, whichever way it came."""
        if self.content is None:
            return []
        return [Part("text", self.content)] if isinstance(self.content, str) else self.content


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = False


class _Ask(msgspec.Struct, kw_only=True):
    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    min_tokens: int | None = 0
    ignore_eos: bool | None = False
    n: int | None = 1
    stop: str | list[str] | None = None
    request_id: str | None = None
    return_token_ids: bool | None = False
    cache_salt: str | None = None
    priority: int | None = 0

    @property
    def has_usage_chunk(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    def stops(self) -> tuple[str, ...]:
        if not self.stop:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)


class ChatAsk(_Ask, kw_only=True):
    """`/v1/chat/completions`, and `/render` below it."""

    messages: list[Message]
    max_completion_tokens: int | None = None
    continue_final_message: bool | None = False
    tools: list[dict[str, Any]] | None = None

    @property
    def limit(self) -> int | None:
        """Tokens the answer may have."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def limit_field(self) -> str:
        """Where that comes from."""
        return "max_tokens" if self.max_completion_tokens is None else "max_completion_tokens"


class TextAsk(_Ask, kw_only=True):
    """`/v1/completions`."""

    prompt: str | list[str | int | list[int]]
    max_tokens: int | None = 16

    @property
    def limit(self) -> int | None:
        return self.max_tokens

    @property
    def limit_field(self) -> str:
        return "max_tokens"


class TokenizeAsk(msgspec.Struct, kw_only=True):
    """`/tokenize`: one of the two."""

    model: str | None = None
    prompt: str | None = None
    messages: list[Message] | None = None
    continue_final_message: bool | None = False
    add_generation_prompt: bool | None = None


_chat = msgspec.json.Decoder(ChatAsk)
_text = msgspec.json.Decoder(TextAsk)
_tokenize = msgspec.json.Decoder(TokenizeAsk)


def read_chat(body: bytes) -> ChatAsk:
    """Raises Refused (400)."""
    ask: ChatAsk = _read(_chat, body)
    if not ask.messages:
        raise bad_request("at least one message is needed", "messages")
    return ask


def read_text(body: bytes) -> TextAsk:
    """Raises Refused (400)."""
    ask: TextAsk = _read(_text, body)
    return ask


def read_tokenize(body: bytes) -> TokenizeAsk:
    """Raises Refused (400)."""
    ask: TokenizeAsk = _read(_tokenize, body)
    if (ask.prompt is None) == (ask.messages is None):
        raise bad_request("give either a prompt or messages")
    if ask.continue_final_message and ask.add_generation_prompt:
        raise bad_request("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
    return ask


def _read(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(str(error)) from None
