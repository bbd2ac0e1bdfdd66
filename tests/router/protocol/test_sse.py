"""Framing of server-sent events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.outcome import StreamBroken, Verdict
from router.protocol.sse import Framer, data_of

LINES = st.sampled_from([b"data: {}", b"data:x", b": keep-alive", b"event: message", b"data: \xc3\xa9", b"", b"data"])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda lines: b"".join(a + b for a, b in lines))


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream, and the same in pieces."""
    stream = draw(STREAMS | st.binary(max_size=60))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return stream, [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]


def frame(pieces: list[bytes]) -> list[bytes]:
    framer = Framer()
    return [event.strip(b"\n") for piece in pieces for event in framer.feed(piece) if event.strip(b"\n")]


@given(cut=cut_streams())
def test_events_do_not_depend_on_how_the_bytes_are_cut(cut: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = cut
    assert frame([stream]) == frame(pieces)
    assert frame([stream]) == frame([stream[i : i + 1] for i in range(len(stream))])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_three_line_ends_part_events(end: bytes) -> None:
    stream = b"data: a" + end + end + b": comment" + end + end + b"data: b" + end + b"data: c" + end + end
    assert [b"data: a", b": comment", b"data: b\ndata: c"] == frame([stream])


def test_an_event_is_held_back_until_it_is_complete() -> None:
    framer = Framer()
    assert framer.is_idle
    assert [] == framer.feed(b"data: a\n")
    assert not framer.is_idle
    assert [b"data: a"] == framer.feed(b"\n")
    assert framer.is_idle


@pytest.mark.parametrize("pieces", [[b"data: " + b"x" * 20 + b"\n\n"], [b"data: ", b"x" * 20]])
def test_an_event_without_end_breaks_the_stream_instead_of_filling_memory(pieces: list[bytes]) -> None:
    *first, last = pieces
    framer = Framer(max_event_bytes=16)
    assert [[]] * len(first) == [framer.feed(piece) for piece in first]
    with pytest.raises(StreamBroken, match="longer than 16 bytes") as caught:
        framer.feed(last)
    assert Verdict.BROKEN == caught.value.outcome.verdict


def test_many_small_events_at_once_are_no_large_one() -> None:
    assert [b"data: 1"] * 5 == Framer(max_event_bytes=16).feed(b"data: 1\n\n" * 5)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: a", b"a"),
        (b"data:a", b"a"),
        (b"data:  a", b" a"),
        (b"data: a\ndata: b", b"a\nb"),
        (b"data", b""),
        (b"event: x\ndata: a\nid: 1", b"a"),
        (b": keep-alive", None),
        (b"", None),
        (b"database: no", None),
    ],
)
def test_the_data_of_an_event_is_its_data_lines(event: bytes, data: bytes | None) -> None:
    assert data == data_of(event)
