"""How the simulator counts tokens: either Mistral's own way, or cheaply, four bytes a token."""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import msgspec

from bench.simulator.ask import Message, bad_request
from bench.simulator.picture import Seen, look_at
from bench.simulator.prompt import IMAGE, IMAGE_BREAK, IMAGE_END, Picture, Prompt
from bench.simulator.words import END_OF_ANSWER, Word

BOS, INST, END_INST, RESULTS, END_RESULTS, CALLS, SYSTEM, END_SYSTEM = 1, 3, 4, 7, 8, 9, 17, 18
_AROUND = {"system": (SYSTEM, END_SYSTEM), "user": (INST, END_INST), "tool": (RESULTS, END_RESULTS)}
_SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))  # so that every id fits into 31 bits
_PADDING = b"\x7f\x7f\x7f"  # which no text ends with, and no control token's id has
_WORDS = (
    "the and for you not are but all any can had her was one our out day get has him his how man new now old see two "
    "way who boy did its let put say she too use red sea sky sun ice oak elm fir ash bee cat dog fox owl hen pig cow"
).split()


class Tokenizer(Protocol):
    """Texts to tokens."""

    @property
    def words(self) -> Sequence[Word]:
        """What answers may be made of."""
        ...

    def chat(self, messages: Sequence[Message], *, goes_on: bool) -> Prompt:
        """A conversation; `goes_on`: its last message is the beginning of the answer. Raises Refused (400)."""
        ...

    def text(self, text: str) -> Prompt:
        """A text to complete."""
        ...


class FourBytes:
    """Four bytes of UTF-8 are a token, each message by itself, with Mistral's control tokens around."""

    @property
    def words(self) -> Sequence[Word]:
        return [Word(_encode(text)[0], text.encode()) for text in (f"{word} " for word in _WORDS)]

    def chat(self, messages: Sequence[Message], *, goes_on: bool) -> Prompt:
        ids = array("I", [BOS])
        pictures: list[Picture] = []
        for message in messages:
            before, after = _AROUND.get(message.role, (None, END_OF_ANSWER))
            if before is not None:
                ids.append(before)
            for part in message.parts():
                if part.image_url is not None:
                    seen = _look_at(part.image_url.url, part.uuid)
                    pictures.append(Picture(len(ids), len(seen_ids := _ids_of(seen)), *_place(seen)))
                    ids.extend(seen_ids)
                else:
                    ids.extend(_encode(part.text or ""))
            if message.tool_calls:
                ids.append(CALLS)
                ids.extend(_encode(msgspec.json.encode(message.tool_calls).decode()))
            ids.append(after)
        if goes_on:
            ids.pop()
        return Prompt(ids, tuple(pictures))

    def text(self, text: str) -> Prompt:
        return Prompt(array("I", [BOS]) + _encode(text))


def load(folder: Path | None) -> Tokenizer:
    """The tokenizer of a settings' folder. Raises ValueError when it cannot be used."""
    if folder is None:
        return FourBytes()
    from bench.simulator.mistral import MistralTokens  # needs mistral-common, which comes with vLLM alone

    return MistralTokens(folder)


def _encode(text: str) -> "array[int]":
    data = text.encode().translate(_SEVEN_BITS)
    ids = array("I")
    ids.frombytes(data + _PADDING[: -len(data) % ids.itemsize])
    return ids


@lru_cache(maxsize=1024)
def _row_ids(columns: int, rows: int) -> "array[int]":
    ids = array("I", ([IMAGE] * columns + [IMAGE_BREAK]) * rows)
    ids[-1] = IMAGE_END
    return ids


def _ids_of(seen: Seen) -> "array[int]":
    return _row_ids(seen.columns, seen.rows)


def _place(seen: Seen) -> tuple[int, int, str]:
    return seen.width, seen.height, seen.identifier


def _look_at(url: str, uuid: str | None) -> Seen:
    try:
        return look_at(url, uuid)
    except ValueError as error:
        raise bad_request(str(error)) from None
