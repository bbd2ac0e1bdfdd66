"""Patterns for whole answers, as engines get them."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.answer_pattern import write_pattern
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from tests.effort import cpu_s

_NO_SPACE = (
    r"[\u0001-\u0008\u000e-\u001f\u0021-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e"
    r"\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-\u{10ffff}]"
)


def written(pattern: object) -> str:
    return write_pattern(pattern, "r", Limits())


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^a$", "a"),
        (r"[0-9]{2}-\d+", r"[0-9]{2}-[0-9]+"),
        ("a.", r"a[\u0001-\u0009\u000b-\u000c\u000e-\u2027\u202a-\ud7ff\ue000-\u{10ffff}]"),
        ("(?:a|b)*?c{2,}", "(?:a|b)*?c{2,}"),
        (r"\/\_\#\.\{", r"/_#\.\{"),
        (r"\x41\u00e9\u{1F600}\n", r"Aé😀\u000a"),
        (r"[^]a]", r"[\u0001-\ud7ff\ue000-\u{10ffff}]a]"),
        (r"[\]^\\-]", r"[\u002d\u005c-\u005e]"),
        (r"[\u{1F600}-\u{1F610}\w]", r"[0-9A-Z\u005fa-z\u{1f600}-\u{1f610}]"),
        ("[\ud7ff-\ue000]", r"[\ud7ff\ue000]"),
        (r"[^\D]", "[0-9]"),
        (r"\S", _NO_SPACE),
    ],
)
def test_sets_and_classes_are_written_out(pattern: str, expected: str) -> None:
    assert expected == written(pattern)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (None, "must be a string, not empty"),
        ("", "must be a string, not empty"),
        (5, "must be a string, not empty"),
        ("a^b", r"\^ may only begin the pattern.*at character 2"),
        ("^*a", r"\^ may only begin the pattern"),
        ("a$b", r"\$ may only end the pattern.*at character 2"),
        (r"\p{L}", r"the escape \\p is not supported"),
        (r"[\b]", r"the escape \\b is not supported"),
        (r"[\u12]", r"the escape \\u is not supported"),
        (r"[^\s\S]", "a set that nothing is in"),
        ("[z-a]", "ends are not two characters in order"),
        (r"[a-\d]", "ends are not two characters in order"),
        (r"[\d-z]", "ends are not two characters in order"),
        ("x{,3}", r"write \\\{ for a brace"),
        (r"\ud83d", "a surrogate"),
        (r"\x00", r"U\+0000"),
        (r"\u{110000}", "no character"),
        ("(?=a)b", "look-ahead"),
        (r"(a)\1", "back-references"),
        ("(?i)a", "groups of this kind"),
        ("(a", "not closed"),
        ("[a", "not closed"),
    ],
)
def test_what_no_automaton_can_be_or_readers_differ_on_is_refused_by_name(pattern: object, problem: str) -> None:
    with pytest.raises(ApiError, match=f"r: .*{problem}") as caught:
        written(pattern)
    assert "r" == caught.value.field


SAMPLES = ["a", "b", "A", "0", "_", "-", " ", "\n", "\t", "\x0b", "\xa0", "\u2028", "é", "😀", "]", "^", "\\", "."]
PIECES = ["a", "b-z", r"\d", r"\w", r"\s", r"\D", r"\W", r"\n", "_", "é", "^", r"\]", r"\\", r"\-", ".", "😀"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.booleans())
def test_a_set_holds_what_python_holds_it_to(pieces: list[str], is_negated: bool) -> None:
    pattern = f"[{'^' if is_negated else ''}{''.join(pieces)}]"
    if not is_negated and pieces[0] == "^":
        pattern = "[" + "".join(["a", *pieces]) + "]"
    try:
        mine = re.compile(re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: f"\\U{int(found[1], 16):08x}", written(pattern)))
    except ApiError:
        assert not any(re.fullmatch(pattern, text, re.ASCII) for text in SAMPLES)
        return
    for text in SAMPLES:
        if text not in "\xa0\u2028" or r"\s" not in pieces:  # white space to ECMA-262
            assert bool(re.fullmatch(pattern, text, re.ASCII)) == bool(mine.fullmatch(text)), text


@pytest.mark.parametrize("pattern", ["^a$", r"\S+\.", r"[^\d\W]{1,3}|x", "(?:é|[😀-😂])*", r"a}b]", r"\$\^\{"])
def test_xgrammar_takes_what_is_written(pattern: str) -> None:
    xgrammar = pytest.importorskip("xgrammar")
    xgrammar.Grammar.from_regex(written(pattern))


@pytest.mark.parametrize("piece", [r"\S", r"[^\S\W]", ".", "[a-b", r"\u{1", "a|", "(", r"[\W\S\D]"])
def test_the_time_grows_with_the_length_alone(piece: str) -> None:
    def write() -> None:
        with suppress(ApiError):
            write_pattern(piece * 20_000, "r", Limits(pattern_chars=10**6, pattern_depth=10**6))

    assert cpu_s(write) < 3
