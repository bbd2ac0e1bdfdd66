"""What headers tell is cut, cleaned, and holds no secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.told import NOTHING_TOLD, Told, origin_of, told_by


def test_headers_are_read_by_their_names() -> None:
    headers = [
        (b"authorization", b"Bearer x"),
        (b"http-referer", b"https://app.example/chat"),
        (b"x-openrouter-title", "Böt".encode()),
        (b"user-agent", b"openai-python/2"),
        (b"x-session-id", b"s-1"),
    ]
    assert Told("https://app.example/chat", "Böt", "openai-python/2", "s-1") == told_by(headers)


def test_older_names_are_read_where_the_newer_are_missing() -> None:
    assert Told("https://a.example", "t") == told_by([(b"referer", b"https://a.example"), (b"x-title", b"t")])
    both = [(b"x-title", b"old"), (b"x-openrouter-title", b"new"), (b"referer", b"http://b"), (b"http-referer", b"c")]
    assert Told("c", "new") == told_by(both)


def test_nothing_is_told_without_them() -> None:
    assert told_by([(b"accept", b"*/*")]) is NOTHING_TOLD
    assert NOTHING_TOLD == told_by([(b"user-agent", b""), (b"x-title", b" \x00 ")])


@pytest.mark.parametrize(
    ("referer", "kept"),
    [
        (b"https://me:secret@a.example/b?token=x#c", "https://a.example/b"),
        (b"https://a.example?q", "https://a.example"),
        (b"?token=x", None),
        (b"an app", "an app"),
    ],
)
def test_a_referer_keeps_no_secret(referer: bytes, kept: str | None) -> None:
    assert kept == told_by([(b"http-referer", referer)]).referer


@pytest.mark.parametrize(
    ("referer", "origin"),
    [(None, ""), ("an app", ""), ("https://a.example/b/c", "https://a.example/"), ("https://a", "https://a/")],
)
def test_an_origin_is_scheme_and_host(referer: str | None, origin: str) -> None:
    assert origin == origin_of(referer)


@given(st.binary(max_size=4_000))
def test_any_bytes_become_short_printable_text(value: bytes) -> None:
    names = (b"http-referer", b"x-title", b"user-agent", b"x-session-id")
    told = told_by([(name, value) for name in names])
    for text in (told.referer, told.title, told.user_agent, told.session_id):
        assert text is None or (len(text) <= 256 and text.isprintable())
