import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.front.head import end_of_head, is_chunked, without_upgrade
from router.front.refusal import Refusal, Refused
from router.front.settings import FrontSettings

SETTINGS = FrontSettings(head_bytes=1024, headers=3)
GOOD = b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n"
HOST = (b"host", b"router.example")


def end(data: bytes, seen: int = 0) -> int | Refusal:
    try:
        return end_of_head(data, seen, SETTINGS)
    except Refused as refused:
        return refused.refusal


def chunked(*headers: tuple[bytes, bytes], version: str = "1.1") -> bool | Refusal:
    try:
        return is_chunked(headers, version)
    except Refused as refused:
        return refused.refusal


def test_a_head_ends_at_its_empty_line_whatever_follows() -> None:
    assert len(GOOD) == end(GOOD) == end(GOOD + b"\r\n\r\nbody")


@given(st.integers(1, len(GOOD) - 1))
def test_a_head_in_two_parts_is_no_other(cut: int) -> None:
    assert 0 == end(GOOD[:cut])
    assert len(GOOD) == end(GOOD, cut)


def test_a_head_that_comes_bytewise_is_no_other() -> None:
    assert [0] * (len(GOOD) - 1) + [len(GOOD)] == [end(GOOD[: i + 1], i) for i in range(len(GOOD))]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"\x16\x03\x01", Refusal.BAD_REQUEST_LINE),
        (b"get / HTTP/1.1\r\n", Refusal.BAD_REQUEST_LINE),
        (b"GET /\r\n", Refusal.BAD_REQUEST_LINE),
        (b"GET / HTTP/1.1\n", Refusal.BAD_REQUEST_LINE),
        (b"GET  / HTTP/1.1\r\n", Refusal.BAD_REQUEST_LINE),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", Refusal.BAD_REQUEST_LINE),
        (b"PRI * HTTP/2.0\r\n\r\n", Refusal.BAD_REQUEST_LINE),
        (b"GET / HTTP/1.1\r\nHost: x\nA: 1\r\n", Refusal.BAD_HTTP),
        (b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * 4 + b"\r\n", Refusal.TOO_MANY_HEADERS),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 1024, Refusal.HEAD_TOO_LARGE),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 1024 + b"\r\n\r\n", Refusal.HEAD_TOO_LARGE),
    ],
)
def test_a_head_that_cannot_become_good_is_refused_before_its_end(data: bytes, refusal: Refusal) -> None:
    assert refusal is end(data)


def test_a_wish_for_another_protocol_is_taken_out_and_nothing_else() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nUPGRADE: h2c\r\nUpgrade: websocket\r\nX: upgrade: no\r\n\r\n"
    body = b"\r\nUpgrade: mine\r\n"
    expected = b"GET / HTTP/1.1\r\nHost: x\r\nX: upgrade: no\r\n\r\n"
    assert expected + body == without_upgrade(head + body, len(head))
    assert GOOD + body == without_upgrade(GOOD + body, len(GOOD))


def test_a_body_ends_by_its_length_or_by_its_chunks() -> None:
    assert chunked(HOST) is False
    assert chunked(HOST, (b"content-length", b"2")) is False
    assert chunked(HOST, (b"transfer-encoding", b"Chunked")) is True


@pytest.mark.parametrize(
    "headers",
    [
        ((b"transfer-encoding", b"chunked"), (b"content-length", b"2")),
        ((b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")),
        ((b"content-length", b"2"), (b"content-length", b"2")),
        ((b"transfer-encoding", b"gzip, chunked"),),
        ((b"transfer-encoding", b"identity"),),
        ((b"transfer-encoding", b""),),
    ],
)
def test_a_body_whose_end_is_not_clear_is_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert Refusal.BAD_FRAMING is chunked(HOST, *headers)


def test_chunks_belong_to_http_1_1() -> None:
    assert Refusal.BAD_FRAMING is chunked(HOST, (b"transfer-encoding", b"chunked"), version="1.0")


@pytest.mark.parametrize(
    "host", [b"x", b"a.b-c.example", b"a.example.:80", b"127.0.0.1:8080", b"[::1]", b"[::ffff:1.2.3.4]:443", b"a_b"]
)
def test_a_host_is_a_name_or_an_address(host: bytes) -> None:
    assert chunked((b"host", host)) is False


@pytest.mark.parametrize(
    "host",
    [b"", b"/", b"a/b", b"a?b", b"a#b", b"a@b", b"a b", b"a,b", b"a:b", b"a:", b"-a", b".a", b"a..b", b"[::1", b"::1",
     b"a" * 256, b"a:123456", b"\xc3\xa9"],
)  # fmt: skip
def test_what_is_no_host_is_refused(host: bytes) -> None:
    assert Refusal.BAD_HOST is chunked((b"host", host))


def test_there_is_one_host_except_in_http_1_0() -> None:
    assert Refusal.BAD_HOST is chunked()
    assert Refusal.BAD_HOST is chunked(HOST, HOST)
    assert chunked(version="1.0") is False


def test_what_is_not_done_is_refused_by_name() -> None:
    assert Refusal.CONTENT_ENCODING is chunked(HOST, (b"content-encoding", b"gzip"))
    assert Refusal.EXPECTATION is chunked(HOST, (b"expect", b"tea"))
    assert Refusal.REPEATED_HEADER is chunked(HOST, (b"authorization", b"a"), (b"authorization", b"b"))
    assert chunked(HOST, (b"content-encoding", b"Identity"), (b"expect", b"100-Continue")) is False
