"""A conversation as token ids: Mistral's v7 instruct format, the same as `mistral-common` writes it, but fast.

`mistral-common` validates and normalizes every request; the trainer needs thousands of conversations a second and
writes only valid ones. A test shows that both give the same ids for every task.
Rules: text is never searched for special tokens; the tokenizer is the one thing this file asks of `mistral-common`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from PIL import Image

from serving.pocket.chat import Chat, Message

BOS, EOS, INST, END_INST, TOOLS, END_TOOLS, RESULTS, END_RESULTS, CALLS, IMG, PAD, IMG_BREAK, IMG_END = range(1, 14)
SYSTEM, END_SYSTEM, TOOL_CONTENT = 17, 18, 19
TOKEN_SIDE = 28
"""Pixels along the side of the square that one [IMG] token stands for (2 by 2 patches of 14)."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`learn[i]` says whether `ids[i]` is part of an answer that training learns from."""

    ids: list[int]
    learn: list[bool]
    pictures: list[Image.Image]


def grid_of(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of [IMG] tokens for a picture of this size in pixels (no larger than 1540 a side)."""
    return -(-width // TOKEN_SIDE), -(-height // TOKEN_SIDE)


def image_tokens(width: int, height: int) -> list[int]:
    """The tokens of a picture: each row of [IMG] ends in [IMG_BREAK], the last one in [IMG_END]."""
    columns, rows = grid_of(width, height)
    tokens = ([IMG] * columns + [IMG_BREAK]) * rows
    tokens[-1] = IMG_END
    return tokens


class Renderer:
    """Renders with the tokenizer of one `tekken.json`."""

    def __init__(self, tekken: Path) -> None:
        self.tokenizer = Tekkenizer.from_file(tekken)
        self._encoded = lru_cache(maxsize=65536)(self._encode)

    @property
    def vocabulary(self) -> int:
        """How many ids there are, special slots included."""
        return int(self.tokenizer.n_words)

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, bos=False, eos=False))

    def prompt(self, chat: Chat) -> Rendered:
        """The conversation up to where the model is to answer (a final assistant message is left out)."""
        messages = chat.messages[:-1] if chat.messages[-1].role == "assistant" else chat.messages
        return self.render(Chat(messages, chat.tools))

    def render(self, chat: Chat) -> Rendered:
        """The whole conversation. With tools, only the last message is learnt from: tools stand before the last user
        message, so earlier answers were given without seeing them, and the ids of past calls are chance."""
        last_user = max(i for i, message in enumerate(chat.messages) if message.role == "user")
        ids, learn = [BOS], [False]
        pictures: list[Image.Image] = []
        for at, message in enumerate(chat.messages):
            if chat.tools and at == last_user:
                listing = json.dumps(list(chat.tools), ensure_ascii=False)
                part = [TOOLS, *self._encoded(listing), END_TOOLS, *self._message(message)]
            else:
                part = self._message(message)
            ids += part
            learned = message.role == "assistant" and (not chat.tools or at == len(chat.messages) - 1)
            forced = len(self._encoded(message.forced))
            learn += [False] * forced + [learned] * (len(part) - forced)
            pictures += message.pictures
        return Rendered(ids, learn, pictures)

    def _message(self, message: Message) -> list[int]:
        match message.role:
            case "system":
                return [SYSTEM, *self._encoded(message.text), END_SYSTEM]
            case "user":
                shown = [token for picture in message.pictures for token in image_tokens(*picture.size)]
                return [INST, *shown, *self._encoded(message.text), END_INST]
            case "tool":
                call, result = self._encoded(message.call_id), self._encoded(message.text)
                return [RESULTS, *call, TOOL_CONTENT, *result, END_RESULTS]
            case "assistant" if message.calls:
                calls = [{"name": c.name, "arguments": c.arguments, "id": c.id} for c in message.calls]
                return [CALLS, *self._encoded(json.dumps(calls, ensure_ascii=False)), EOS]
            case "assistant":
                return [*self._encoded(message.text.rstrip(" ")), EOS]
