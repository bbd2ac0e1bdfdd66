"""The body of `/messages`: a chat in Anthropic's words."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from router.policy.call import Caller
from router.protocol.limits import Limits
from router.protocol.media import Fetched
from router.protocol.messages_api.skin import MessagesSkin
from router.protocol.messages_api.translate import translate
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.prepare import ContextOf
from router.protocol.request import Request, no_context, parse_chat
from router.protocol.tokens import FixedLengths, Lengths

_UNLEARNED = FixedLengths()
_UNSEEDED: Mapping[str, int] = MappingProxyType({})
_NONE_FETCHED: Fetched = MappingProxyType({})
_NOBODY = Caller()


def parse_messages(
    raw: bytes,
    limits: Limits,
    *,
    lengths: Lengths = _UNLEARNED,
    caller: Caller = _NOBODY,
    seeds: Mapping[str, int] = _UNSEEDED,
    fetched: Fetched = _NONE_FETCHED,
    context_of: ContextOf = no_context,
    filters: Sequence[AnyFilter] = (),
) -> Request:
    """Read a body of `/messages`. Arguments are those of `parse_chat`.

    Raises:
        ApiError: 400 or 413, naming the caller's own field at fault.
        Unfetched: nothing is wrong so far, but images or documents are missing; to be called again with them.
    """
    chat = translate(raw, limits)
    parse = partial(
        parse_chat,
        limits=limits,
        lengths=lengths,
        caller=caller,
        seeds=seeds,
        fetched=fetched,
        context_of=context_of,
        filters=filters,
    )
    request = chat.read(parse)
    request.skin = MessagesSkin(request.call.prompt_tokens)
    return request
