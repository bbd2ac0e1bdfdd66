"""A body of `/messages` to a body of `/chat/completions`, which is the only one that the rest of the router reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.protocol.messages_api.conversation import Conversation
from router.protocol.messages_api.options import Options
from router.protocol.messages_api.paths import Paths
from router.protocol.messages_api.source import Pieces, Source
from router.protocol.messages_api.tools import tool_choice, tools
from router.protocol.request import Request


@dataclass(frozen=True, slots=True)
class Chat:
    """The chat's body, and the caller's names of what is in it."""

    body: bytes
    paths: Paths

    def read(self, parse: Callable[[bytes], Request]) -> Request:
        """Parse it.

        Raises:
            ApiError: as `parse` does, with the caller's own fields.
            Unfetched: likewise.
        """
        try:
            return parse(self.body)
        except ApiError as error:
            self.paths.correct(error)
            raise
        except Unfetched as unfetched:
            self.paths.correct_missing(unfetched)
            raise


def translate(raw: bytes, limits: Limits, *, keep: Callable[[str], bool] = lambda name: True) -> Chat:
    """The chat that `raw` asks for.

    Args:
        raw: the caller's bytes, of which pictures and documents are copied once.
        limits: of the caller's body; those of the chat are checked by whoever reads it.
        keep: which of the chat's fields, by name, are wanted.

    Raises:
        ApiError: 400 or 413, naming the caller's field.
    """
    source = Source(raw, limits)
    conversation = Conversation(source)
    options = Options(source)
    choice, is_single = tool_choice(source)
    if is_single:
        options.put("parallel_tool_calls", [b"false"], "tool_choice.disable_parallel_tool_use")
    fields = {"messages": conversation.pieces(), **options.fields}
    if (listed := tools(source)) is not None:
        fields["tools"] = listed
    if choice is not None:
        fields["tool_choice"] = [choice]
    return Chat(
        _written({name: value for name, value in fields.items() if keep(name)}),
        Paths(conversation.origins, _within(options.renamed) | options.renamed),
    )


def _within(renamed: Mapping[str, str]) -> dict[str, str]:
    """Names of fields within fields."""
    names = {"tool_choice.function.name": "tool_choice.name"}
    if (own := renamed.get("response_format")) is not None:
        names["response_format.json_schema.schema"] = f"{own}.schema"
    return names


def _written(fields: Mapping[str, Pieces]) -> bytes:
    pieces: Pieces = []
    for name, value in fields.items():
        pieces += [b",", msgspec.json.encode(name), b":", *value]
    return b"".join([b"{", *pieces[1:], b"}"])
