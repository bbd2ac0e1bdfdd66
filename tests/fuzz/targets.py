"""What reads bytes from strangers, each as a function of bytes. A target returns, or raises what its contract names.

Beside that each states what must hold of what was read: an engine's body is JSON again, what comes out of a stream
does not depend on how it was cut.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

import msgspec

from router.policy.catalog import Pool, Price
from router.policy.outcome import Outcome, StreamBroken, Verdict
from router.protocol.chunk import Identity
from router.protocol.data_url import parse as parse_data_url
from router.protocol.embeddings import parse_embeddings
from router.protocol.engine_metrics import parse_metrics
from router.protocol.errors import ApiError, render
from router.protocol.failures import of_outcome
from router.protocol.forbidden import REFUSED
from router.protocol.gossip import VERSION, GossipWire
from router.protocol.grammar import check_grammar
from router.protocol.images import read_size, size_of
from router.protocol.kv_events import read_batch
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.protocol.media_url import UrlRules
from router.protocol.messages_api.parse import parse_messages
from router.protocol.pattern import check_pattern
from router.protocol.plugins.healing import heal
from router.protocol.request import Request, parse_chat, parse_completion
from router.protocol.rerank import parse_rerank
from router.protocol.reshape import reshape
from router.protocol.response_format import engine_fields
from router.protocol.responses.listed import listed_items
from router.protocol.responses.memory import Memory, Remembered
from router.protocol.responses.parse import parse_responses
from router.protocol.schema import check_schema
from router.protocol.scrub import scrub
from router.protocol.splice import Splicer
from router.protocol.spool_line import decode as decode_line
from router.protocol.sse import Framer
from router.protocol.structure import check_structure
from router.upstream.exchange import Exchange
from tests import fault_behaviours as faults

Target = Callable[[bytes], None]

_LIMITS = Limits()
_POOL = Pool(name="p", model="a/m", upstream_model="served")
_IDENTITY = Identity("gen-1", "a/m", "Local", 1_700_000_000)
_SECRET = b"a secret of the fuzzer"
_ENGINE_ONLY = REFUSED - {"continue_final_message", "add_generation_prompt", "request_id", "cache_salt", "echo"}
_RULES = UrlRules()
_any = msgspec.json.Decoder()


def _cuts(data: bytes) -> list[bytes]:
    """The same bytes in pieces, cut where a hash of them says."""
    rng = random.Random(hashlib.sha256(data).digest())
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(1, 9)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _sent(body: bytes, own: frozenset[str] = frozenset()) -> None:
    """`own`: fields that belong to this route and to no other."""
    fields = json.loads(body)  # which reads numbers of any size, as engines do
    assert fields["model"] == "served"
    assert not _ENGINE_ONLY & (fields.keys() - own)


def chat(data: bytes) -> None:
    _sent(parse_chat(data, _LIMITS).upstream_body(_POOL, generation_id="gen-1"))


def completions(data: bytes) -> None:
    _sent(parse_completion(data, _LIMITS).upstream_body(_POOL, generation_id="gen-1"))


def responses(data: bytes) -> None:
    request = parse_responses(data, _LIMITS)
    _sent(request.upstream_body(_POOL, generation_id="gen-1"))
    _dressed(request)


def remembered(data: bytes) -> None:
    """What was answered is kept, listed, and gone on from."""
    kept: list[Remembered] = []

    def keep(answer: Remembered) -> bool:
        kept.append(answer)
        return True

    request = parse_responses(data, _LIMITS, memory=Memory(keep, 100_000, by_default=True, earlier=b"[]"))
    _dressed(request)
    for answer in kept:
        assert len(listed_items(answer.input, answer.id)) == len(json.loads(answer.input))
        memory = Memory(keep, 100_000, earlier=answer.conversation())
        following = b'{"model":"a/m","input":"x","previous_response_id":"resp_1"}'
        _sent(parse_responses(following, _LIMITS, memory=memory).upstream_body(_POOL, generation_id="gen-2"))


def messages(data: bytes) -> None:
    request = parse_messages(data, _LIMITS)
    _sent(request.upstream_body(_POOL, generation_id="gen-1"))
    _dressed(request)


def _dressed(request: Request) -> None:
    """Whatever was asked for, an answer can be written in the words of its API."""
    assert request.skin is not None
    if request.call.stream:
        request.skin.feed(b"".join(faults.STREAM))
    else:
        _any.decode(request.skin.whole(reshape(faults.ANSWER, _IDENTITY, Price()).body))


def embeddings(data: bytes) -> None:
    _sent(parse_embeddings(data, _LIMITS).upstream_body(_POOL, generation_id="gen-1"))


def rerank(data: bytes) -> None:
    _sent(parse_rerank(data, _LIMITS).upstream_body(_POOL, generation_id="gen-1"), frozenset({"query", "documents"}))


def healing(data: bytes) -> None:
    """Of what a model said."""
    healed = heal(data.decode("latin-1"), None)
    assert healed is None or _any.decode(healed) is not msgspec.UNSET


def _value(data: bytes) -> object:
    """The JSON value, as read by the parsers before; None if it is none."""
    try:
        check_structure(data, _LIMITS)
        return _any.decode(data)
    except (ApiError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def response_format(data: bytes) -> None:
    value = _value(data)
    if isinstance(value, dict):
        engine_fields(value, data, _LIMITS)


def schema(data: bytes) -> None:
    value = _value(data)
    check_schema(value, "s", _LIMITS, is_compiled=False)
    check_schema(value, "s", _LIMITS)


def grammar(data: bytes) -> None:
    check_grammar(data.decode("latin-1"), "g", _LIMITS)


def pattern(data: bytes) -> None:
    text = data[:16_384].decode("latin-1")
    check_pattern(text, "p", Limits(pattern_chars=len(text)), is_compiled=False)
    check_pattern(text, "p", Limits(pattern_chars=len(text)))


def events(data: bytes) -> None:
    def read(pieces: list[bytes]) -> list[bytes] | None:
        framer = Framer(10_000)
        try:
            return [event.strip(b"\n") for piece in pieces for event in framer.feed(piece) if event.strip(b"\n")]
        except StreamBroken:
            return None

    whole, cut = read([data]), read(_cuts(data))
    assert None in (whole, cut) or whole == cut  # how soon an event is found to be too long may differ


def stream(data: bytes) -> None:
    def read(pieces: list[bytes]) -> tuple[bytes, bool, Verdict | None]:
        splicer = Splicer(_IDENTITY, Price(), max_event_bytes=1 << 20)
        out = b"".join([splicer.feed(piece) for piece in pieces])
        return out, splicer.is_done, splicer.failure and splicer.failure.verdict

    whole = read([data])
    assert whole == read(_cuts(data))
    for event in whole[0].split(b"\n\n")[:-1]:
        assert event.startswith(b"data: ")
        if event != b"data: [DONE]":
            _any.decode(event[6:])


def answer(data: bytes) -> None:
    _any.decode(reshape(data, _IDENTITY, Price()).body)


def error_body(data: bytes) -> None:
    for verdict in (Verdict.REJECTED, Verdict.UNAVAILABLE):
        render(of_outcome(Outcome(verdict, 400), provider="Local", body=data))


def error_text(data: bytes) -> None:
    assert len(scrub(data.decode("latin-1"))) <= 1_000


def image(data: bytes) -> None:
    size_of(data)


def data_url(data: bytes) -> None:
    found = parse_data_url(memoryview(data))
    read_size(found.read)
    found.sha256()


def media_url(data: bytes) -> None:
    found = _RULES.read(data.decode("latin-1"))
    assert found == _RULES.read(str(found)), "its one form is not the only one"


def gossip(data: bytes) -> None:
    signed = bytes((VERSION,)) + data[:1_100]
    wire = GossipWire(_SECRET)
    wire.decode(signed + hmac.digest(_SECRET, signed, "sha256")[:16])
    wire.decode(data)


def cache_events(data: bytes) -> None:
    read_batch(data)


def metrics(data: bytes) -> None:
    parse_metrics(data)


def spool(data: bytes) -> None:
    decode_line(data)


class _Line:
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def over(self, exchange: Exchange) -> None: ...


def http_answer(data: bytes) -> None:
    def read(pieces: list[bytes]) -> tuple[object, ...]:
        exchange = Exchange(_Line(), None, hold_bytes=1 << 30)  # type: ignore[arg-type]  # nobody waits on its loop
        for piece in pieces:
            exchange.feed(piece)
        seen = (exchange.status, exchange.headers, b"".join(exchange._parts), exchange.is_complete)
        failed = exchange._failed
        exchange.close()
        return ("failed",) if failed else seen  # how much is seen before that may differ

    assert read([data]) == read(_cuts(data))


TARGETS: Mapping[str, tuple[Target, tuple[type[Exception], ...]]] = MappingProxyType(
    {
        "chat": (chat, (ApiError, Unfetched)),
        "completions": (completions, (ApiError,)),
        "responses": (responses, (ApiError, Unfetched)),
        "remembered": (remembered, (ApiError, Unfetched)),
        "messages": (messages, (ApiError, Unfetched)),
        "embeddings": (embeddings, (ApiError,)),
        "rerank": (rerank, (ApiError,)),
        "healing": (healing, ()),
        "response_format": (response_format, (ApiError,)),
        "schema": (schema, (ApiError,)),
        "grammar": (grammar, (ApiError,)),
        "pattern": (pattern, (ApiError,)),
        "events": (events, ()),
        "stream": (stream, ()),
        "answer": (answer, (ValueError,)),
        "error_body": (error_body, ()),
        "error_text": (error_text, ()),
        "image": (image, (ValueError,)),
        "data_url": (data_url, (ValueError, LookupError)),
        "media_url": (media_url, (ValueError,)),
        "gossip": (gossip, ()),
        "cache_events": (cache_events, (ValueError,)),
        "metrics": (metrics, (ValueError,)),
        "spool": (spool, ()),
        "http_answer": (http_answer, ()),
    }
)


def run(name: str, data: bytes) -> None:
    """Raises whatever the target's contract does not name."""
    target, expected = TARGETS[name]
    with suppress(*expected):
        target(data)
