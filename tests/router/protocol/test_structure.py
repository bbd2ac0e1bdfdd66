"""How requests may be built."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.structure import check_structure
from tests.effort import cpu_s

TEXTS = st.text(st.sampled_from('[]{}"\\a:,é'), max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(value=VALUES, wrapped=st.integers(0, 8), ascii_only=st.booleans())
def test_depth_is_counted_exactly_and_not_in_strings(value: object, wrapped: int, ascii_only: bool) -> None:
    for _ in range(wrapped):
        value = [{"[[{\\": 1}, {"a": value}, '"}]']
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    levels = depth(value)
    check_structure(raw, Limits(json_depth=levels))
    if levels:
        with pytest.raises(ApiError, match=f"body: nested deeper than {levels - 1} levels"):
            check_structure(raw, Limits(json_depth=levels - 1))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    check_structure(json.dumps([{}] * 500 + ["]]", '"', [[]]]).encode(), Limits())


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"a":%b1%b}' % (b"[" * 100_000, b"]" * 100_000), "objects and arrays|deeper than 64"),
        (b'{"a":' * 40_000, "deeper than 64 levels"),
        (b"[{" * 20_000, "deeper than 64 levels"),
        (b"[" + b"[]," * 60_000, "more than 50000 objects and arrays"),
        (b"[" + b'"",' * 300_000, "more than 200000 strings"),
        (b"{" + b'"a":1,' * 300_000, "more than 200000 strings"),
        (b"x" * 5_000_000, "more than 4194304 bytes besides its images"),
        (b"[" * 4_000_000, "more than 50000 objects and arrays"),
        (b'"' * 4_000_000, "more than 200000 strings"),
        (b"\\" * 4_000_000 + b"{}" * 60_000, "more than 50000 objects and arrays"),
    ],
)
def test_what_would_fill_memory_is_refused_at_once(raw: bytes, problem: str) -> None:
    def check() -> None:
        with pytest.raises(ApiError, match=problem):
            check_structure(raw, Limits())

    assert cpu_s(check) < 1


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("text_bytes", b"[" + b"1" * 98 + b"]", b"[" + b"1" * 99 + b"]"),
        ("json_depth", b"[[[]]]", b"[[[[]]]]"),
    ],
)
def test_every_bound_is_inclusive_and_named_in_what_it_refuses(limit: str, least: bytes, most: bytes) -> None:
    limits = Limits(text_bytes=100, json_depth=3)
    check_structure(least, limits)
    with pytest.raises(ApiError) as caught:
        check_structure(most, limits)
    assert limit == caught.value.limit


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("json_strings", b"[" + b'"",' * 200_000 + b"1]", b"[" + b'"",' * 200_001 + b"1]"),
        ("json_containers", b"[" + b"{}," * 49_999 + b"1]", b"[" + b"{}," * 50_000 + b"1]"),
    ],
)
def test_so_are_those_that_are_only_counted_in_large_texts(limit: str, least: bytes, most: bytes) -> None:
    check_structure(least, Limits())
    with pytest.raises(ApiError) as caught:
        check_structure(most, Limits())
    assert limit == caught.value.limit


def test_a_long_text_is_no_structure() -> None:
    check_structure(json.dumps({"a": 'word, "quoted": [x] {y} ' * 40_000}).encode(), Limits())
