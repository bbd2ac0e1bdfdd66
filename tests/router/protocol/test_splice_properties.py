"""What holds for every stream, however it is cut."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from router.policy.catalog import Price
from router.protocol.chunk import Identity
from router.protocol.splice import Splicer
from tests.router.protocol import engine_chunks as engine

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVENTS = st.one_of(
    TEXTS.map(engine.token),
    TEXTS.map(lambda text: engine.token(text, 1)),
    TEXTS.map(engine.tool_call),
    TEXTS.map(lambda text: engine.finish(text=text)),
    st.sampled_from([engine.KEEP_ALIVE, engine.usage(), engine.role(1), b"\n", b"data: {}\n\n", engine.error()]),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream of an engine that may go wrong, and the same in pieces."""
    events = [engine.role(), *draw(st.lists(EVENTS, max_size=10)), engine.DONE]
    stream = b"".join(events)
    if draw(st.booleans()):
        stream = stream.replace(b"\n", b"\r\n")
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    return stream, [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]


def run(pieces: list[bytes]) -> tuple[bytes, object, object, object]:
    splicer = Splicer(Identity("gen-1-a", "m", "p", 1), Price())
    out = b"".join([splicer.feed(piece) for piece in pieces])
    return out, splicer.failure, splicer.usage, splicer.finish_reason


@given(stream=streams())
@settings(max_examples=200)
def test_what_comes_out_does_not_depend_on_how_it_went_in(stream: tuple[bytes, list[bytes]]) -> None:
    whole, pieces = stream
    assert run([whole]) == run(pieces)
    assert run([whole]) == run([whole[i : i + 1] for i in range(len(whole))])


@given(texts=st.lists(TEXTS, max_size=20))
def test_the_text_of_an_answer_arrives_whole(texts: list[str]) -> None:
    out, failure, *_ = run([engine.role(), *map(engine.token, texts), engine.finish(), engine.DONE])
    events = [event for event in out.decode().split("\n\n") if event and event != "data: [DONE]"]
    said = "".join(json.loads(event[6:])["choices"][0]["delta"]["content"] for event in events)
    assert "".join(texts) == said
    assert failure is None


@given(pieces=st.lists(st.binary(max_size=50) | EVENTS, max_size=8))
def test_no_bytes_make_the_splicer_raise_and_all_it_gives_out_is_events(pieces: list[bytes]) -> None:
    out, *_ = run([engine.role(), *pieces])
    for event in out.decode().split("\n\n")[:-1]:
        assert event == "data: [DONE]" or json.loads(event[6:])["id"] == "gen-1-a"
    assert out.endswith(b"\n\n")
