"""Foreign error texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.scrub import scrub


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
        ("Authorization: Bearer abcdefghijk", "Authorization: <key>"),
        ("the model mistralai/mistral-small-3.1 is 1/2 ready", "the model mistralai/mistral-small-3.1 is 1/2 ready"),
        ("two\n lines", "two lines"),
    ],
)
def test_addresses_paths_traces_and_keys_are_taken_out(text: str, shown: str) -> None:
    assert shown == scrub(text)


def test_a_long_text_is_cut() -> None:
    assert "x" * 999 + "…" == scrub("x" * 100_000)


@given(text=st.text(alphabet="0123456789abcdef:./-_ \"'xF", max_size=400))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)
