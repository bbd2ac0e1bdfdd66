"""Regular expressions that are to become automata."""

import re
import re._parser as sre_parse  # what Python makes of a pattern, as a tree
import warnings
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.pattern import check_pattern
from tests.effort import cpu_s

GOOD = [
    "",
    "^[a-z]{1,8}$",
    r"^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$",
    r"(?:a|b)*?c+?",
    "([a-z]+(-[a-z]+)*,?)+",
    r"[^\]\\x-z]+\.\*\x41\u0041\u{1F600}\p{L}",
    "[é中]{2,}",
    "a{",
    "(|a)",
    "a]b}",
]


@pytest.mark.parametrize("pattern", GOOD)
def test_what_every_engine_knows_is_accepted(pattern: str) -> None:
    check_pattern(pattern, "p", Limits())


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (5, "must be a string"),
        ("a\0", "must not contain a NUL"),
        ("^(?=.*a)b", r"look-ahead and look-behind are not supported \(at character 2\)"),
        ("(?!a)", "look-ahead"),
        ("(?<=a)b", "look-behind"),
        ("(?<!a)b", "look-behind"),
        (r"(a)\1", r"back-references are not supported \(at character 4\)"),
        (r"(?P<x>a)(?P=x)", "groups of this kind are not supported"),
        ("(?i)a", "groups of this kind"),
        ("(?>a)", "groups of this kind"),
        ("(?R)", "groups of this kind"),
        ("(?:?a)", "groups of this kind|nothing to repeat"),
        (r"\bword\b", "has an escape or a set that is not supported"),
        (r"\k<x>", "back-references"),
        ("a\\", "has an escape or a set"),
        ("[a", "has an escape or a set that is not supported, or not closed"),
        ("(a", "a parenthesis is not closed"),
        ("a)", "closes what was not opened"),
        ("*a", r"there is nothing to repeat \(at character 1\)"),
        ("a**", "nothing to repeat"),
        ("(|*)", "nothing to repeat"),
        ("a{5,2}", "the smaller number comes first"),
    ],
)
def test_what_is_no_regular_expression_is_refused_at_its_place(pattern: object, problem: str) -> None:
    with pytest.raises(ApiError, match=f"p: .*{problem}"):
        check_pattern(pattern, "p", Limits())


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("pattern_chars", "aaaa", "aaaaa"),
        ("pattern_repeat", "(a{2}){2}", "(a{2}){3}"),
        ("pattern_repeat", "((ab{4})c)", "((ab{4})c){2}"),
        ("pattern_repeat", "a{0,4}", "a{0,5}"),
        ("pattern_repeat", "a{4,}", "a{9999999999999999999}"),
        ("pattern_quantifiers", "(a+)*b{1,}?", "((a+)*)+"),
        ("pattern_quantifiers", "(a+b?)*", "((a+|b){2,}){0,}"),
        ("pattern_depth", "((a))((b))", "((a(b)))"),
    ],
)
def test_every_bound_is_inclusive_and_named_in_what_it_refuses(limit: str, least: str, most: str) -> None:
    bounds = {"pattern_repeat": 4, "pattern_quantifiers": 2, "pattern_depth": 2, "pattern_chars": 50}
    limits = Limits(**(bounds | ({"pattern_chars": 4} if limit == "pattern_chars" else {})))
    check_pattern(least, "p", limits)
    with pytest.raises(ApiError) as caught:
        check_pattern(most, "p", limits)
    assert limit == caught.value.limit


@pytest.mark.parametrize("pattern", [r"^(?!.*\.\.)(?<x>a)\1\b", "(?i)a)(", "*a", "a**", "[a"])
def test_of_what_is_not_compiled_only_the_size_counts(pattern: str) -> None:
    check_pattern(pattern, "p", Limits(), is_compiled=False)
    for too_much in ("a" * 513, "(a{100}){100}", "(" * 17 + ")" * 17):
        with pytest.raises(ApiError):
            check_pattern(too_much, "p", Limits(), is_compiled=False)


@pytest.mark.parametrize("piece", ["(", ")", "[", "[^", "\\", "a{", "{1,", "(?", "a*", "|", "\\u{", "\\p{", "[a\\"])
def test_the_time_grows_with_the_length_alone(piece: str) -> None:
    def check() -> None:
        for is_compiled in (True, False):
            with suppress(ApiError):
                check_pattern(piece * 100_000, "p", Limits(pattern_chars=10**7), is_compiled=is_compiled)

    assert cpu_s(check) < 3


@given(pattern=st.text(alphabet="ab()[]{}\\|*+?^$.,-019=!<:dku", max_size=40))
def test_python_too_finds_nothing_but_regular_constructs_in_what_is_accepted(pattern: str) -> None:
    try:
        check_pattern(pattern, "p", Limits())
    except ApiError:
        return
    with warnings.catch_warnings(), suppress(re.error):  # such as a range that ends before it begins
        warnings.simplefilter("ignore", FutureWarning)  # a set within a set: literal here
        found = str(sre_parse.parse(pattern))
        assert not re.search(r"ASSERT|GROUPREF|ATOMIC|POSSESSIVE|BOUNDARY", found)
