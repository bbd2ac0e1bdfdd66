"""The body of `/messages/count_tokens`, and its answer: the prompt is counted by an engine's tokenizer, not computed.

The engine gets the messages and tools that it would get to answer them, on vLLM's route `/tokenize`, so that the count
is exact: chat template, tools and pictures included. Policies see a call without a prompt: nothing of it is computed,
enters a cache or counts against a rate of tokens. Fields that shape only the answer are checked and left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import msgspec

from router.policy.call import NO_PREFIX, Caller
from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.kinds import Kind
from router.protocol.limits import Limits
from router.protocol.media import Fetched
from router.protocol.messages_api.translate import translate
from router.protocol.plugins.filter_messages import AnyFilter
from router.protocol.plugins.prepare import ContextOf
from router.protocol.request import Request, no_context, parse_chat
from router.protocol.reshape import Answer
from router.protocol.tokens import FixedLengths, Lengths
from router.protocol.wire import read

_UNLEARNED = FixedLengths()
_UNSEEDED: Mapping[str, int] = MappingProxyType({})
_NONE_FETCHED: Fetched = MappingProxyType({})
_NOBODY = Caller()
_KEPT = frozenset("messages tools tool_choice model models provider plugins route preset session_id trace user".split())
_NOTHING = Usage(tells_cached=False)


class _Counted(msgspec.Struct):
    count: int


_counted = msgspec.json.Decoder(_Counted)


def count_answer(body: bytes) -> bytes:
    """vLLM's answer to the caller's. Raises ValueError: it is none."""
    counted: _Counted = read(_counted, body)
    return b'{"input_tokens":%d}' % counted.count


def reshape_count(
    body: bytes,
    identity: Identity,
    price: Price,
    *,
    prompt_tokens: int = 0,
    explained: dict[str, object] | None = None,
) -> Answer:
    """`count_answer` as the gateway reads answers: nothing was used. Raises ValueError: the body is no count."""
    return Answer(count_answer(body), _NOTHING, None, None)


COUNT = Kind("count", "/tokenize", output="count", reshape=reshape_count, is_free=True)


def parse_count(
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
    """Read a body of `/messages/count_tokens`. Arguments are those of `parse_chat`.

    Raises:
        ApiError: 400 or 413, naming the caller's own field at fault.
        Unfetched: nothing is wrong so far, but images or documents are missing; to be called again with them.
    """
    chat = translate(raw, limits, keep=_KEPT.__contains__)
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
    request.kind = COUNT
    request.constraint = None  # nothing is compiled
    request.call = replace(
        request.call,
        prompt_tokens=0,
        image_tokens=0,
        text_bytes=0,
        prefix=NO_PREFIX,
        max_tokens=1,
        output=COUNT.output,  # which other providers' pools do not put out
    )
    return request
