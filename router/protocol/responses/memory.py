"""Answers that are kept, so that the next request need not send the conversation: `store`, `previous_response_id`.

The parser does no I/O. A request that goes on from an earlier answer raises `Unremembered`, as one whose pictures are
missing raises `Unfetched`, and is parsed again with the conversation that was found. What is kept with an answer is all
that it answered, the items of earlier requests too: one look-up is enough, however long the chain is. Instructions are
no part of that, as at OpenAI.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

_SPACE = b" \t\r\n"


class _Answer(msgspec.Struct):
    output: msgspec.Raw


_answer = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer, and what it answered."""

    id: str
    created: int  # unix seconds
    model: str
    status: str
    input: bytes  # JSON array of items, the oldest first
    response: bytes  # the JSON object that the caller got
    previous: str | None = None  # id of the answer that the request went on from

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.input) + len(self.response)

    def conversation(self) -> bytes:
        """The JSON array of all items up to the end of the answer."""
        return joined(self.input, bytes(_answer.decode(self.response).output))


class Unremembered(Exception):
    """A request that is good so far, but goes on from an answer that has to be looked up. `response`: its id."""

    def __init__(self, response: str) -> None:
        super().__init__(f"{response} has to be looked up")
        self.response = response


@dataclass(frozen=True, slots=True)
class Memory:
    """What a parser needs to know of it.

    Attributes:
        keep: takes an answer that came to its end. False: there is no room for it.
        most_bytes: of what is kept with one answer.
        by_default: are answers kept when the request does not say?
        earlier: what was found for `previous_response_id`, as `Remembered.conversation` has it; None: not looked up.
    """

    keep: Callable[[Remembered], bool]
    most_bytes: int
    by_default: bool = False
    earlier: bytes | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """An answer that is to be kept as soon as it is there."""

    memory: Memory
    input: bytes
    previous: str | None

    def keep(self, response_id: str, created: int, model: str, status: str, response: bytes) -> bool:
        """Is it kept now? Not when it is too large, or nothing can be taken at the moment."""
        answer = Remembered(response_id, created, model, status, self.input, response, self.previous)
        return answer.size <= self.memory.most_bytes and self.memory.keep(answer)


def keeping(memory: Memory, own: bytes, previous: str | None) -> Keeping | None:
    """None: what was asked is too large already. `own`: the JSON of the field `input`."""
    if own[:1] == b'"':
        own = b'[{"type":"message","role":"user","content":%b}]' % own
    asked = joined(memory.earlier or b"[]", own)
    return Keeping(memory, asked, previous) if len(asked) <= memory.most_bytes else None


def joined(*arrays: bytes) -> bytes:
    """One JSON array of several."""
    return b"[" + b",".join([inside for array in arrays if (inside := array[1:-1].strip(_SPACE))]) + b"]"
