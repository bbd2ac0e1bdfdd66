"""Conversations that are longer than the model's context, made to fit: the plugin `context-compression`, middle-out.

Messages are left out from the middle: of what may go, half of the room is filled from the start and the rest from the
end. What stays in any case: system messages, the last message of the user, and the last turn. An assistant's tool calls
and their results stay or go together. If that is still too long, the longest texts that are left lose their middle.

All of it goes by estimated tokens, the same for the same conversation, in time linear in its length; images count
with the tokens they have, and are not looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from router.protocol.media import Media
from router.protocol.messages import Message
from router.protocol.plugins.cut_text import GAP_BYTES, cut_content
from router.protocol.plugins.pipeline import Step
from router.protocol.wire import read

SMALL_CONTEXT = 8_192  # tokens; up to here it is on unless it is switched off, as OpenRouter has it
_RESERVE = 1_024  # tokens for an answer of unknown length, but no more than a quarter of the context
_MARGIN = 0.05  # share of the room that stays free, because tokens are estimated
_MESSAGE_BYTES = 48  # of control tokens around a message, by their names
_string = msgspec.json.Decoder(str)


class _Part(msgspec.Struct):
    text: msgspec.Raw = msgspec.Raw()
    uuid: str = ""


_parts = msgspec.json.Decoder(list[_Part])


class Scale:
    """Estimates tokens of messages."""

    def __init__(self, media: Media, bytes_per_token: float) -> None:
        self._media = media
        self.bytes_per_token = bytes_per_token

    def tokens(self, message: Message) -> int:
        """Of one message with what surrounds it."""
        size, images = _MESSAGE_BYTES, 0
        for call in message.tool_calls:
            size += len(call.id) + len(call.function.name.encode()) + len(call.function.arguments.encode())
        content = message.content or b'""'
        if content[:1] == b'"':
            size += self._text_bytes(content)
        else:
            for part in read(_parts, content):
                images += self._media.pictures[part.uuid].tokens if part.uuid else 0
                size += self._text_bytes(bytes(part.text)) if len(part.text) else 0
        return math.ceil(size / self.bytes_per_token) + images

    def _text_bytes(self, raw: bytes) -> int:
        if b"\\" not in raw:
            return len(raw) - 2
        looks_like_image = self._media.body.image(raw)
        return len(read(_string, raw).encode()) if looks_like_image is None else len(looks_like_image) - 2


@dataclass(frozen=True, slots=True)
class Compressed:
    """A conversation, and what was done to it."""

    messages: list[Message]
    dropped: int  # messages
    cut: int  # messages whose text lost its middle
    fits: bool

    def step(self) -> Step:
        """As the router's metadata tells it."""
        summary = f"left out {self.dropped} messages and cut {self.cut}"
        data = {"engine": "middle-out", "messages_dropped": self.dropped, "messages_cut": self.cut}
        return Step("context_compression", "context-compression", summary, data)


def is_wanted(asked: bool | None, context_length: int) -> bool:
    """Is a prompt to be compressed for this context? `asked`: by the plugin or `transforms`; None: not mentioned."""
    return context_length <= SMALL_CONTEXT if asked is None else asked


def room_for_prompt(context_length: int, max_tokens: int | None) -> int:
    """Estimated tokens that a prompt may have, so that the answer has its place as well; at least 0."""
    answer = min(_RESERVE, context_length // 4) if max_tokens is None else max_tokens
    return max(0, int((context_length - answer) * (1 - _MARGIN)))


def compress(messages: Sequence[Message], room: int, scale: Scale) -> Compressed:
    """Make a conversation fit into `room` tokens, as far as that can be done."""
    sizes = [scale.tokens(message) for message in messages]
    if sum(sizes) <= room:
        return Compressed(list(messages), 0, 0, True)
    kept = _choose(messages, sizes, room)
    excess = sum(sizes[index] for index in kept) - room
    left = [messages[index] for index in kept]
    cut = 0
    for place in sorted(range(len(kept)), key=lambda place: -sizes[kept[place]]):
        if excess <= 0:
            break
        shorter = _shortened(left[place], excess, scale)
        saved = sizes[kept[place]] - scale.tokens(shorter)
        if saved > 0:
            left[place] = shorter
            excess -= saved
            cut += 1
    return Compressed(left, len(messages) - len(left), cut, excess <= 0)


def _choose(messages: Sequence[Message], sizes: Sequence[int], room: int) -> list[int]:
    """Indices of messages that stay."""
    groups = _groups(messages)
    last_user = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    fixed = [
        messages[group[0]].role in ("system", "developer") or group[0] == last_user or group is groups[-1]
        for group in groups
    ]
    costs = [sum(sizes[index] for index in group) for group in groups]
    free = [number for number in range(len(groups)) if not fixed[number]]
    budget = room - sum(cost for cost, stays in zip(costs, fixed, strict=True) if stays)
    front, back, spent = 0, len(free), 0
    for bound, from_start in ((budget // 2, True), (budget, False), (budget, True)):
        while front < back:
            cost = costs[free[front if from_start else back - 1]]
            if spent + cost > bound:
                break
            spent += cost
            front, back = (front + 1, back) if from_start else (front, back - 1)
    gone = set(free[front:back])
    return [index for number, group in enumerate(groups) if number not in gone for index in group]


def _groups(messages: Sequence[Message]) -> list[list[int]]:
    """Indices of messages that stay or go together: results with the calls before them."""
    groups: list[list[int]] = []
    for index, message in enumerate(messages):
        if message.role == "tool" and groups:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _shortened(message: Message, excess: int, scale: Scale) -> Message:
    """Some `excess` tokens fewer, if so many can be spared."""
    if message.content is None:
        return message
    size = math.ceil(excess * scale.bytes_per_token) + GAP_BYTES
    return replace(message, content=cut_content(message.content, size))
