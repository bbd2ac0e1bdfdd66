"""From the fields of the chat's body back to those that the caller wrote.

A body of `/messages` is judged where chat bodies are, and what is refused there is named by the chat's field. The
caller gets his own: `messages[1].content[0].source.data`, not `messages[3].content[0].image_url.url`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from router.protocol.errors import ApiError
from router.protocol.media import Unfetched

_MESSAGE = re.compile(r"messages\[(\d+)\](?:\.(content|tool_calls)\[(\d+)\])?(.*)")
_TOOL = re.compile(r"(tools\[\d+\])\.function\.(name|description|parameters|strict)(.*)")
_OF_TOOL = {"parameters": "input_schema"}
_OF_CALL = {".function.name": ".name", ".function.arguments": ".input", ".id": ".id"}
_OF_MESSAGE = {".tool_call_id": ".tool_use_id"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one message of the chat comes from."""

    path: str  # of the message, of the block that it was, or of the field
    parts: tuple[str, ...] = ()  # by part of its content: the field that says what is in it
    calls: tuple[str, ...] = ()  # by tool call: the block


@dataclass(frozen=True, slots=True)
class Paths:
    """Of one body. `renamed`: the caller's names of top-level fields, and of fields below them, by the chat's."""

    messages: Sequence[Origin]
    renamed: Mapping[str, str]

    def own(self, field: str) -> str:
        """The caller's name of a field of the chat's."""
        if (found := _MESSAGE.fullmatch(field)) is not None and int(found[1]) < len(self.messages):
            return _of_message(self.messages[int(found[1])], found)
        if (found := _TOOL.fullmatch(field)) is not None:
            return f"{found[1]}.{_OF_TOOL.get(found[2], found[2])}{found[3]}"
        for theirs, own in self.renamed.items():
            if field == theirs or field.startswith((f"{theirs}.", f"{theirs}[")):
                return own + field[len(theirs) :]
        return field

    def correct(self, error: ApiError) -> None:
        """Let an error name the caller's own field."""
        if error.field is None:
            return
        field, error.field = error.field, self.own(error.field)
        if error.message.startswith(field):
            error.message = error.field + error.message[len(field) :]
            error.args = (error.message,)

    def correct_missing(self, unfetched: Unfetched) -> None:
        """Let what is missing be called by the caller's own fields."""
        unfetched.fields = {url: self.own(field) for url, field in unfetched.fields.items()}
        unfetched.files = tuple(replace(file, field=self.own(file.field)) for file in unfetched.files)


def _of_message(origin: Origin, found: "re.Match[str]") -> str:
    where, index, rest = found[2], int(found[3] or 0), found[4]
    if where == "content":
        return origin.parts[index] if index < len(origin.parts) else f"{origin.path}.content"
    if where == "tool_calls":
        return f"{origin.calls[index]}{_OF_CALL.get(rest, '')}" if index < len(origin.calls) else origin.path
    return origin.path + _OF_MESSAGE.get(rest, rest)
