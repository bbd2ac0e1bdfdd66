from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from router.protocol.spool_line import decode, encode
from router.store.spool_lines import lines
from tests.router.store.spool_support import entry, opened


def read(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"").lstrip(b"\0"))), st.integers(1, 9))
def test_lines_are_found_whatever_is_read_at_once(content: list[bytes], most: int) -> None:
    data = b"".join(line + b"\n" for line in content)
    found = list(lines(partial(read, data), chunk=most))
    assert content == [line for _, line in found]
    for index, (offset, _) in enumerate(found):
        assert content[index + 1 :] == [line for _, line in lines(partial(read, data), offset)]


def test_a_line_longer_than_what_is_read_at_once_is_read_past() -> None:
    data = b"a\n" + b"x" * 1_000_000 + b"\nb\n"
    assert [1, 1_000_000, 1] == [len(line) for _, line in lines(partial(read, data))]


def test_a_file_cut_anywhere_gives_every_line_before_the_cut() -> None:
    written = [encode(record) for number in range(6) for record in (opened(number), entry(number))]
    data, ends = b"".join(written), [0]
    for line in written:
        ends.append(ends[-1] + len(line))
    for cut in range(len(data) + 1):
        found = [decode(line) for _, line in lines(partial(read, data[:cut]))]
        assert None not in found
        assert len([end for end in ends[1:] if end <= cut]) == len(found)


def test_room_that_never_got_its_bytes_costs_nothing_but_them() -> None:
    data = encode(entry(1)) + b"\0" * 5_000 + encode(entry(2)) + b"\0" * 5_000
    assert [entry(1), entry(2)] == [decode(line) for _, line in lines(partial(read, data))]
