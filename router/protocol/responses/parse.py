"""A body of `/responses` to a request: checked here where it differs from a chat, and translated to one.

The chat's parser sees the translated body and makes the request; what it finds wrong is told again in the caller's
words (see paths). Whatever a chat takes beside `messages` is taken here too, under the same name. Unless
the router remembers answers (see memory), the API is stateless, as OpenRouter's: whoever asks for a stored or a later
answer is refused, and never answered as if.

Images are copied once on the way, into the translated body. It may be a little longer than the caller's, whose length
is the one that has a bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import msgspec

from router.policy.call import Caller
from router.protocol.body import Body, split
from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.prepare import ContextOf
from router.protocol.request import Request, no_context, parse_chat
from router.protocol.responses.echo import echo
from router.protocol.responses.fields import TRANSLATED, is_to_be_kept, named, plugins_of, previous_id, refuse, renamed
from router.protocol.responses.items import read_conversation
from router.protocol.responses.memory import Memory, Unremembered, keeping
from router.protocol.responses.paths import Paths
from router.protocol.responses.raw import is_null
from router.protocol.responses.skin import ResponsesSkin
from router.protocol.responses.text import read_text
from router.protocol.responses.tools import read_tools
from router.protocol.tokens import FixedLengths, Lengths

_UNLEARNED = FixedLengths()
_UNSEEDED: Mapping[str, int] = MappingProxyType({})
_NONE_FETCHED: Fetched = MappingProxyType({})
_NOBODY = Caller()


def parse_responses(
    raw: bytes,
    limits: Limits,
    *,
    lengths: Lengths = _UNLEARNED,
    caller: Caller = _NOBODY,
    seeds: Mapping[str, int] = _UNSEEDED,
    fetched: Fetched = _NONE_FETCHED,
    context_of: ContextOf = no_context,
    filters: Sequence[AnyFilter] = (),
    memory: Memory | None = None,
) -> Request:
    """Read a body of `/responses`; arguments are those of `parse_chat`.

    `memory`: of earlier answers; None: nothing is remembered.

    Raises:
        ApiError: 400 or 413, naming the field at fault.
        Unfetched: nothing is wrong so far, but images are missing; to be called again with them.
        Unremembered: likewise, an earlier answer is missing.
    """
    body = split(raw, limits)
    given = _given(body)
    refuse(given, memory)
    if "input" not in given:
        raise invalid("input", "is required")
    previous = previous_id(given)
    if memory is not None and previous is not None:
        if memory.earlier is None:
            raise Unremembered(previous)
        body = _with_earlier(body, given, memory.earlier, limits)
        given = _given(body)
    conversation = read_conversation(given["input"], given.get("instructions"), given.get("previous_response_id"))
    tools = read_tools(given.get("tools"), given.get("tool_choice"))
    text = read_text(given.get("text"))
    chat = {name: bytes(value) for name, value in given.items() if name not in TRANSLATED}
    chat |= {
        "messages": conversation.messages,
        **named("tools", tools.tools),
        **named("tool_choice", tools.choice),
        **named("response_format", text.response_format),
        **named("verbosity", text.verbosity),
        **renamed(given),
        **plugins_of(given),
    }
    translated = _join(chat, body)
    paths = Paths(conversation.origins, tools.origins)
    try:
        request = parse_chat(
            translated,
            _room_for(translated, chat, limits),
            lengths=lengths,
            caller=caller,
            seeds=seeds,
            fetched=fetched,
            context_of=context_of,
            filters=filters,
        )
    except ApiError as error:
        raise paths.restate(error) from None
    except Unfetched as missing:
        raise paths.unfetched(missing) from None
    if request.choices > 1:
        raise invalid("n", "an answer of this API is one; ask again for another")
    kept = None
    if memory is not None and is_to_be_kept(given, memory):
        kept = keeping(memory, b"".join(body.restore(bytes(given["input"]))), previous)
    request.skin = ResponsesSkin(_told(echo(given, tools, text, previous), body, limits), kept)
    return request


def _given(body: Body) -> dict[str, msgspec.Raw]:
    return {name: value for name, value in body.fields.items() if not is_null(value)}


def _with_earlier(body: Body, given: Mapping[str, msgspec.Raw], earlier: bytes, limits: Limits) -> Body:
    """The body with the earlier conversation's items in place of its id. Raises ApiError: too much together."""
    pieces: list[bytes | memoryview] = [b'{"previous_response_id":', earlier]
    for name, value in given.items():
        if name != "previous_response_id":
            pieces += (b",", msgspec.json.encode(name), b":", *body.restore(bytes(value)))
    pieces.append(b"}")
    try:
        return split(b"".join(pieces), limits)
    except ApiError as error:
        message = f"previous_response_id: with the conversation that it stands for: {error.message}"
        field = "previous_response_id"
        raise ApiError(error.error_type, message, field=field, limit=error.limit, status=error.status) from None


def _told(repeated: bytes, body: Body, limits: Limits) -> bytes:
    """The echo, with texts that look like images. It is written three times: a long one keeps their placeholders."""
    pieces = body.restore(repeated)
    return b"".join(pieces) if sum(map(len, pieces)) <= limits.text_bytes else repeated


def _join(chat: Mapping[str, bytes], body: Body) -> bytes:
    """The body of a chat, with the images back in their places."""
    pieces: list[bytes | memoryview] = []
    for name, value in chat.items():
        pieces += (b",", msgspec.json.encode(name), b":", *body.restore(value))
    pieces[0] = b"{"
    pieces.append(b"}")
    return b"".join(pieces)


def _room_for(translated: bytes, chat: Mapping[str, bytes], limits: Limits) -> Limits:
    """Bounds on lengths hold for the caller's body, and were checked there."""
    text_bytes = sum(len(name) + len(value) + 6 for name, value in chat.items())
    if len(translated) <= limits.body_bytes and text_bytes <= limits.text_bytes:
        return limits
    body_bytes = max(limits.body_bytes, len(translated))
    return replace(limits, body_bytes=body_bytes, text_bytes=max(limits.text_bytes, text_bytes))
