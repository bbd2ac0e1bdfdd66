"""A watch is cut into lines, however the network cut it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.kubernetes.lines import Lines, LineTooLong


@given(st.lists(st.binary(max_size=20).filter(lambda each: b"\n" not in each)), st.lists(st.integers(0, 200)))
def test_lines_are_the_same_however_they_were_cut(said: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(each + b"\n" for each in said)
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    lines = Lines(1_000)
    found = [line for start, end in pairwise(places) for line in lines.feed(stream[start:end])]
    assert [each for each in said if each.strip()] == found


@pytest.mark.parametrize("data", [b"123456", b"12345\n123456", b"123456\n1", b"1\n123456\n"])
def test_a_line_longer_than_the_limit_is_refused(data: bytes) -> None:
    with pytest.raises(LineTooLong):
        Lines(5).feed(data)


def test_the_limit_counts_what_came_before() -> None:
    lines = Lines(5)
    assert [] == lines.feed(b"12345")
    with pytest.raises(LineTooLong):
        lines.feed(b"6")


def test_a_line_that_is_just_not_too_long_is_taken() -> None:
    assert [b"12345", b"12345"] == Lines(5).feed(b"12345\n12345\n")
