"""Attempts are kept in one short line, and read back."""

import pytest

from router.protocol.answered import LONGEST, Answered, from_text, to_text

ONE = Answered("local", "local/m", "m/eyes", 503, 12)
TWO = Answered("Far", "far", "m/other", 200, 340, "chatcmpl-1")


def test_attempts_read_back_in_order() -> None:
    text = to_text([ONE, TWO])
    assert text is not None
    assert "\n" not in text
    assert (ONE, TWO) == from_text(text)


def test_no_attempts_are_no_text() -> None:
    assert to_text([]) is None
    assert () == from_text(None)


def test_of_many_the_last_are_kept() -> None:
    many = [Answered("p" * 64, "q" * 64, "m", number) for number in range(100)]
    text = to_text(many)
    assert text is not None
    assert len(text) <= LONGEST
    kept = from_text(text)
    assert many[-len(kept) :] == list(kept)
    assert len(kept) >= 6


def test_names_of_strangers_are_cut_and_cleaned() -> None:
    text = to_text([Answered("p" * 1_000, "\0\ud800pool\n", "m", upstream_id="i" * 1_000)])
    assert (Answered("p" * 64, "pool", "m", upstream_id="i" * 128),) == from_text(text)
    assert (Answered("p", "q", "m"),) == from_text(to_text([Answered("p", "q", "m", upstream_id="\0")]))


@pytest.mark.parametrize("text", ["", "[", '[{"provider":1}]', "{}", '[{"provider":"\ud800"}]'])
def test_what_is_no_such_list_reads_as_an_empty_one(text: str) -> None:
    assert () == from_text(text)
