"""Foreign error texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.scrub import scrub
from tests.effort import cpu_s


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot connect to 10.0.3.17:8000", "cannot connect to <address>"),
        ("host fe80:0:0:1:2:3:4:5 is down", "host <address> is down"),
        ("GET http://engine-0.svc:8000/v1/models failed", "GET <url> failed"),
        ("<PIL.Image at 0x7f3a2b4c5d6e>", "<PIL.Image at <pointer>>"),
        ("no such file /usr/lib/python3/site.py", "no such file <path>"),
        ("boom Traceback (most recent call last):\n  File ...", "boom <trace>"),
        ('in File "/app/x.py", line 3, in run', "in <trace>"),
        ("key sk-or-v1-0123456789abcdef is wrong", "key <key> is wrong"),
        ("Authorization: Bearer abcdefghijk", "<key>"),
        ("refused Bearer abcdefghijk", "refused <key>"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "{'<key>'}"),
        ("api_key=abcd1234, next", "<key>, next"),
        ("x-api-key: abcd1234", "<key>"),
        ("password=hunter2 for db", "<key> for db"),
        ("the token hf_abcdefghijkl is bad", "the token <key> is bad"),
        ("AKIAIOSFODNN7EXAMPLE and AIzaSyA1234567890", "<key> and <key>"),
        ("jwt eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl end", "jwt <key> end"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END", "<key>"),
        ("connect to postgres://user:pass@db:5432/x failed", "connect to <url> failed"),
        ("mail admin@example.com", "mail <address>"),
        (
            "to ::1 or [::1]:80 or fe80::1%eth0 or 2001:db8::8a2e:370:7334",
            "to <address> or <address> or <address> or <address>",
        ),
        ("::ffff:10.0.0.1 refused", "<address> refused"),
        ("at 12:30:59 std::vector a::b", "at 12:30:59 std::vector a::b"),
        ("localhost:8000 refused; engine-0.ns.svc.cluster.local:80 too", "<address> refused; <address> too"),
        ("open C:\\Users\\x\\y.txt", "open <path>"),
        ("open \\\\server\\share\\y", "open <path>"),
        ("open ~/models/x.bin and ../../etc/passwd", "open <path> and ../../etc/passwd"),
        ("got " + "QUJD" * 20 + "== as data", "got <data> as data"),
        ("and " + "0123456789abcdef" * 4, "and <data>"),
        ("token count 5, max_tokens: 100, tokens=1234567", "token count 5, max_tokens: 100, tokens=1234567"),
        ("the model mistralai/mistral-small-3.1 is 1/2 ready", "the model mistralai/mistral-small-3.1 is 1/2 ready"),
        ("two\n lines", "two lines"),
    ],
)
def test_addresses_paths_traces_and_keys_are_taken_out(text: str, shown: str) -> None:
    assert shown == scrub(text)


def test_a_long_text_is_cut() -> None:
    assert "ab " * 333 + "…" == scrub("ab " * 100_000)


@given(text=st.text(alphabet="0123456789abcdef:./-_ \"'xF", max_size=400))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


PIECES = [
    "a", "/", "/a", "\\\\", "::", "a:", "1.", "[", "https://", "a@", "a.", "a-", "0x", "eyJa", "token:", "sk-",
    "File \"", "-----BEGIN ", "Bearer ", "A", "C:\\", "~/", "\"", " ", "a.svc", "=", "api_key = ", "localhost",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_the_time_is_bounded_whatever_the_text_is_made_of(piece: str) -> None:
    assert cpu_s(lambda: scrub(piece * 20_000)) < 0.3


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=6), times=st.integers(1, 2_000))
def test_nor_does_it_grow_with_how_it_is_put_together(pieces: list[str], times: int) -> None:
    assert cpu_s(lambda: scrub("".join(pieces) * times), tries=1) < 0.3
