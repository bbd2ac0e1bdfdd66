"""The chat's answers as this package reads them: chunks of a stream, and whole ones.

Texts stay raw JSON strings: what is between their quotes is what the answer has between its own.
"""

import msgspec

from router.protocol.wire import read

NULL = msgspec.Raw(b"null")


class Function(msgspec.Struct):
    """Of a call, or of a piece of one."""

    name: str | None = None
    arguments: msgspec.Raw = NULL


class Call(msgspec.Struct):
    """A call, or a piece of one."""

    index: int = 0
    id: str | None = None
    function: Function = msgspec.field(default_factory=Function)


class Said(msgspec.Struct):
    """A delta, or a whole message."""

    content: msgspec.Raw = NULL
    refusal: msgspec.Raw = NULL
    reasoning: msgspec.Raw = NULL
    tool_calls: list[Call] | None = None
    annotations: list[dict[str, msgspec.Raw]] | None = None


class Choice(msgspec.Struct):
    """One choice; others than the first are never asked for."""

    index: int = 0
    delta: Said | None = None
    message: Said | None = None
    finish_reason: str | None = None
    logprobs: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class Answer(msgspec.Struct):
    """A chunk, or a whole answer."""

    id: str = ""
    model: str = ""
    created: int = 0
    choices: list[Choice] = []
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL
    openrouter_metadata: msgspec.Raw = NULL


_answer = msgspec.json.Decoder(Answer)


def read_answer(data: bytes) -> Answer:
    """Raises ValueError: it is none."""
    answer: Answer = read(_answer, data)
    return answer


def inside(raw: msgspec.Raw) -> bytes:
    """What is between the quotes of a raw JSON string; b"" of anything else."""
    view = memoryview(raw)
    return bytes(view[1:-1]) if bytes(view[:1]) == b'"' else b""


def is_there(raw: msgspec.Raw) -> bool:
    """Is it anything but null?"""
    return bytes(memoryview(raw)[:4]) != b"null"
