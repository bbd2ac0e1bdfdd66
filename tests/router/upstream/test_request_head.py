"""How a request begins, by plain calls."""

import pytest

from router.upstream.connections import Origin
from router.upstream.request_head import RequestHead

OWN = {"Accept": "*/*"}


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("http://10.0.0.7:30000/v1/x", Origin("10.0.0.7", 30000, False), b"10.0.0.7:30000"),
        ("http://engine/v1/x", Origin("engine", 80, False), b"engine"),
        ("https://engine/v1/x", Origin("engine", 443, True), b"engine"),
        ("https://engine:8443/v1/x", Origin("engine", 8443, True), b"engine:8443"),
        ("http://[fd00::7]:30000/v1/x", Origin("fd00::7", 30000, False), b"[fd00::7]:30000"),
    ],
)
def test_it_leads_where_the_url_says(url: str, origin: Origin, host: bytes) -> None:
    head = RequestHead.of(url, OWN)
    assert origin == head.origin
    expected = b"POST /v1/x HTTP/1.1\r\nHost: %b\r\nAccept: */*\r\nContent-Length: 7\r\n\r\n" % host
    assert expected == head.write(7, {})


def test_further_headers_come_last_and_replace_none() -> None:
    head = RequestHead.of("http://e:1/", OWN).write(
        0, {"accept": "text/html", "content-length": "9", "traceparent": "0"}
    )
    assert head.endswith(b"Accept: */*\r\nContent-Length: 0\r\ntraceparent: 0\r\n\r\n")


def test_a_url_without_a_host_is_none() -> None:
    with pytest.raises(ValueError, match="has no host"):
        RequestHead.of("/v1/x", OWN)


def test_other_methods_and_a_repr_that_shows_no_header() -> None:
    head = RequestHead.of("http://e:1/models", {"Authorization": "Bearer secret"}, "GET")
    assert head.write(0, {}).startswith(b"GET /models HTTP/1.1\r\n")
    assert "secret" not in repr(head)
