"""Errors of the translated body, told in the caller's words: his fields, at their places in his own body."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from router.protocol.errors import ApiError
from router.protocol.media import Unfetched
from router.protocol.responses.items import Origin

_MESSAGE = re.compile(r"messages\[(\d+)\](.*)", re.DOTALL)
_CALL = re.compile(r"\.tool_calls\[(\d+)\](.*)", re.DOTALL)
_TOOL = re.compile(r"tools\[(\d+)\](.*)", re.DOTALL)
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "messages": "input",
        "max_completion_tokens": "max_output_tokens",
        "logprobs": "include",
        "verbosity": "text.verbosity",
        "tool_choice.function.name": "tool_choice.name",
        "response_format.json_schema": "text.format",
    }
)
_WITHIN = (  # a part's object of the chat, which is flat here
    (".image_url.url", ".image_url"),
    (".video_url.url", ".video_url"),
    (".file.file_data", ".file_data"),
    (".file.filename", ".filename"),
    (".file", ""),
)
_WORDS = (
    ("no tool message answers the call", "no function_call_output answers the call"),
    ("no assistant message right before it has a tool call", "no function_call right before it has the call_id"),
    ("a tool message holds", "a function's output holds"),
    ("must hold at least one message", "must hold at least one item that says something"),
)


@dataclass(frozen=True, slots=True)
class Paths:
    """Knows where the pieces of one translated body come from.

    Attributes:
        messages: of each message.
        tools: of each tool its index in the caller's array.
    """

    messages: Sequence[Origin]
    tools: Sequence[int]

    def back(self, field: str) -> str:
        """The caller's path for one of the chat's."""
        if (found := _MESSAGE.fullmatch(field)) is not None:
            return self._message(int(found[1]), found[2])
        if (found := _TOOL.fullmatch(field)) is not None:
            return f"tools[{self.tools[int(found[1])]}]{found[2].replace('.function', '', 1)}"
        for name, own in _NAMES.items():
            if field == name or field.startswith(f"{name}."):
                return own + field[len(name) :]
        return field.replace("response_format", "text.format", 1) if field.startswith("response_format") else field

    def restate(self, error: ApiError) -> ApiError:
        """The same error about the caller's body."""
        if error.field is None:
            return error
        field, message = self.back(error.field), error.message
        if message.startswith(f"{error.field}:"):
            message = field + message[len(error.field) :]
        for theirs, ours in _WORDS:
            message = message.replace(theirs, ours)
        told = ApiError(
            error.error_type,
            message,
            field=field,
            metadata=error.metadata,
            retry_after_s=error.retry_after_s,
            limit=error.limit,
            status=error.status,
        )
        told.headers = error.headers
        return told

    def unfetched(self, missing: Unfetched) -> Unfetched:
        """The same images and documents, named as the caller's body has them."""
        fields = {url: self.back(field) for url, field in missing.fields.items()}
        files = tuple(replace(file, field=self.back(file.field)) for file in missing.files)
        return Unfetched(fields, missing.room, missing.salt, files)

    def _message(self, index: int, within: str) -> str:
        origin = self.messages[index]
        if (call := _CALL.fullmatch(within)) is not None:
            return self._call(index, int(call[1])) + _of_call(call[2])
        if within == ".tool_call_id":
            return f"{origin.path}.call_id"
        if within.startswith(".content"):
            path = origin.content + within.removeprefix(".content")
            for theirs, ours in _WITHIN:
                if path.endswith(theirs):
                    return path.removesuffix(theirs) + ours
            return path
        return origin.path + within

    def _call(self, index: int, number: int) -> str:
        """The item of a call, counted from a message on: calls that follow each other are one message's."""
        calls = [origin.path for origin in self.messages[index:] if origin.is_call]
        return calls[number]


def _of_call(within: str) -> str:
    return ".call_id" if within == ".id" else within.removeprefix(".function")
