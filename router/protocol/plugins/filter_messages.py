"""A conversation seen through filters: what is redacted is written anew, the first that blocks refuses the request.

Of each message its texts are looked at, within content parts as well, and the arguments of its calls of tools; never
its pictures. By a filter's scope messages of all roles are, or users' alone: whoever holds a key writes all of them,
so a guardrail that looked at one role only would be gone round by another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from router.protocol.body import Body
from router.protocol.messages import Function, Message, ToolCall
from router.protocol.plugins.builtin_filters import AnyFilter as AnyFilter
from router.protocol.plugins.pipeline import Step
from router.protocol.plugins.search import Finding, Search
from router.protocol.wire import read

_string = msgspec.json.Decoder(str)
_parts = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Filtered:
    """A conversation, and what was found in it."""

    messages: list[Message]
    findings: tuple[Finding, ...]
    is_changed: bool

    def steps(self) -> list[Step]:
        """As the router's metadata tells of it."""
        return [finding.step() for finding in self.findings]


def apply_filters(messages: Sequence[Message], filters: Sequence[AnyFilter], body: Body) -> Filtered:
    """Look at a conversation with all filters. `body`: that it came in.

    Raises:
        ApiError: 403, one of them blocks. Its metadata names all that do, and nothing of the text.
    """
    looking = _Looking(Search(filters), body)
    seen = [looking.message(message) for message in messages]
    looking.search.check()
    return Filtered(seen, looking.search.findings, any(a is not b for a, b in zip(seen, messages, strict=True)))


class _Looking:
    def __init__(self, search: Search, body: Body) -> None:
        self.search = search
        self._body = body

    def message(self, message: Message) -> Message:
        """The same if nothing was redacted."""
        if not self.search.looks_at(message.role):
            return message
        content = None if message.content is None else self._content(message, message.content)
        calls = [self._call(message, number, call) for number, call in enumerate(message.tool_calls)]
        if content is message.content and all(a is b for a, b in zip(calls, message.tool_calls, strict=True)):
            return message
        return replace(message, content=content, tool_calls=calls)

    def _content(self, message: Message, content: bytes) -> bytes:
        field = f"{message.path}.content"
        if content[:1] == b'"':
            return self._text(content, field, message.role)
        parts: list[dict[str, msgspec.Raw]] = read(_parts, content)
        is_changed = False
        for part in parts:
            text = bytes(part.get("text", b""))
            if text and (seen := self._text(text, field, message.role)) is not text:
                part["text"] = msgspec.Raw(seen)
                is_changed = True
        return msgspec.json.encode(parts) if is_changed else content

    def _text(self, raw: bytes, field: str, role: str) -> bytes:
        """The same bytes if nothing was redacted."""
        looks_like_image = self._body.image(raw)  # a text that begins like one was cut out of the body
        text: str = read(_string, raw if looks_like_image is None else looks_like_image)
        written = self.search.text(text, field, role)
        if written is text:
            return raw
        seen = msgspec.json.encode(written)
        return seen if looks_like_image is None else self._body.add(seen)

    def _call(self, message: Message, number: int, call: ToolCall) -> ToolCall:
        """Arguments are JSON in a string, and are looked at as they stand there."""
        given = call.function.arguments
        written = self.search.text(given, f"{message.path}.tool_calls[{number}].function.arguments", message.role)
        return call if written is given else ToolCall(call.id, Function(call.function.name, written), call.type)
