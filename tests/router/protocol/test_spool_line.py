from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.entry import Entry, Opened
from router.protocol.spool_line import decode, encode

OPENED = Opened(id="gen-1", created=1.5, router="b", key="k", workspace="w", kind="chat", requested="a/b")
ENTRY = Entry(id="gen-1", created=1.5, router="b", key="k", workspace="w", kind="chat", status="ok", cost=2**60)


@pytest.mark.parametrize("record", [OPENED, ENTRY])
def test_a_record_is_one_line_and_reads_back(record: Opened | Entry) -> None:
    line = encode(record)
    assert (1, b"\n") == (line.count(b"\n"), line[-1:])
    assert record == decode(line[:-1])


@given(st.text(), st.text(), st.floats(0, 1e12), st.integers(0, 2**63 - 1), st.none() | st.text())
def test_any_values_read_back(name: str, requested: str, created: float, cost: int, reason: str | None) -> None:
    record = Entry(
        id=name, created=created, router="", key=requested, workspace="", kind="", status="", cost=cost,
        finish_reason=reason,
    )  # fmt: skip
    line = encode(record)
    assert b"\n" not in line[:-1]
    assert record == decode(line[:-1])


def test_half_a_surrogate_pair_costs_a_character_not_the_row() -> None:
    for record in (OPENED, ENTRY):
        broken = type(record)(
            id=record.id, created=1.0, router="b", key="k\ud800", workspace="w", kind="chat",
            **({"status": "ok"} if isinstance(record, Entry) else {}),
        )  # fmt: skip
        read = decode(encode(broken)[:-1])
        assert read is not None
        assert "k?" == read.key


@pytest.mark.parametrize("record", [OPENED, ENTRY])
def test_one_wrong_byte_anywhere_is_noticed(record: Opened | Entry) -> None:
    line = encode(record)[:-1]
    for position in range(len(line)):
        for wrong in (0, line[position] ^ 1, line[position] ^ 0x20):
            assert decode(line[:position] + bytes([wrong]) + line[position + 1 :]) is None or wrong == line[position]


@pytest.mark.parametrize("record", [OPENED, ENTRY])
def test_a_line_that_was_cut_short_is_noticed(record: Opened | Entry) -> None:
    line = encode(record)[:-1]
    assert all(decode(line[:end]) is None for end in range(len(line)))


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"o":{}}', b'{"x":1}', b'{"o":null}', b"\xff", b'"\xff"'])
def test_what_is_whole_but_no_record_is_not_taken_for_one(text: bytes) -> None:
    assert decode(b"%08x %b" % (crc32(text), text)) is None


def test_fields_of_a_newer_release_are_passed_over() -> None:
    text = encode(OPENED)[9:-1].replace(b'"id"', b'"new":[1],"id"')
    assert OPENED == decode(b"%08x %b" % (crc32(text), text))
