"""Which headers go on."""

import pytest

from router.upstream.headers import forwardable


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "authorization", "Cookie", "X-Api-Key", "api-key", "Proxy-Authorization", "Host", "Connection",
        "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Content-Length", "Content-Type",
        "Content-Encoding", "Accept-Encoding", "Expect",
    ],
)  # fmt: skip
def test_what_belongs_to_the_hop_the_body_or_the_clients_identity_stays_here(name: str) -> None:
    assert {} == forwardable({name: "x"})


def test_other_headers_pass_untouched() -> None:
    headers = {"traceparent": "00-1-2-01", "X-Request-Id": "a b"}
    assert headers == forwardable(headers)


def test_what_connection_names_is_of_this_hop() -> None:
    assert {"X-Far": "1"} == forwardable({"connection": "close, X-Near", "X-Near": "1", "X-Far": "1"})


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "\r"])
def test_a_header_that_could_begin_another_is_dropped(bad: str) -> None:
    assert {} == forwardable({"X-A": bad})
    assert {} == forwardable({bad: "a"})
