"""What counts as progress in an event stream."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.upstream.progress import Progress


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"data: x\n\n"], [True]),
        ([b": keep-alive\n\n"], [False]),
        ([b": keep", b"-alive\n", b"\n"], [False, False, False]),
        ([b": data: x\n\n", b"data: x\n\n"], [False, True]),
        ([b":\n:\n\ndata: x"], [True]),
        ([b"data: a", b"bc", b"\n\n", b":c\n"], [True, True, False, False]),
        ([b"da", b": x\n"], [True, True]),
        ([b": c\r", b"\n\r\n", b"data: x\r\n\r\n"], [False, False, True]),
        ([b": c\rdata: x\r\r"], [True]),
        ([b"\n\n\n"], [False]),
        ([b"data: x\n: c", b"data: y\n", b"z"], [True, False, True]),
    ],
)
def test_comments_and_empty_lines_are_no_progress(pieces: list[bytes], expected: list[bool]) -> None:
    progress = Progress()
    assert expected == [progress.feed(piece) for piece in pieces]


LINES = st.lists(
    st.sampled_from([b"data: x\n", b": keep-alive\n", b"\n", b":\r\n", b"event: data: y\r\n", b": data: z\r"]),
    max_size=8,
)


@given(st.data(), LINES)
def test_where_a_stream_is_cut_makes_no_difference(data: st.DataObject, lines: list[bytes]) -> None:
    whole = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    edges = [0, *cuts, len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(edges)]
    cut, uncut = Progress(), Progress()
    found = [cut.feed(piece) for piece in pieces]
    assert uncut.feed(whole) == any(found)
    assert uncut.is_between_lines == cut.is_between_lines
