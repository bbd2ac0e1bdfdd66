"""An answer as it comes, by plain calls: bytes in, and what can be read of them."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest

from router.upstream.exchange import MAX_HEAD_BYTES, Exchange
from router.upstream.failed import Failed

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"content-length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Line:
    """A connection that notes what is asked of it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def pause(self) -> None:
        self.said.append("pause")

    def resume(self) -> None:
        self.said.append("resume")

    def over(self, exchange: Exchange) -> None:
        self.said.append("over")


def exchange(line: Line | None = None, *, hold_bytes: int = 1_000) -> Exchange:
    return Exchange(line or Line(), asyncio.get_running_loop(), hold_bytes=hold_bytes)


def fed(*pieces: bytes) -> Exchange:
    """An exchange that has been told these."""
    one = exchange()
    for piece in pieces:
        one.feed(piece)
    return one


async def body_of(one: Exchange) -> bytes:
    """The whole body, its pieces parted by bars."""
    pieces = []
    while piece := await one.readany():
        pieces.append(piece)
    return b"|".join(pieces)


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


@pytest.mark.parametrize(
    "pieces",
    [(HELLO,), (HELLO[:20], HELLO[20:]), (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",)],
    ids=["at once", "in two", "in chunks"],
)
def test_an_answer_is_read_however_it_is_cut(pieces: tuple[bytes, ...]) -> None:
    async def main() -> None:
        one = fed(*pieces)
        await one.head()
        assert (200, b"hello") == (one.status, await body_of(one))
        assert (True, True) == (one.is_complete, one.is_reusable)

    run(main())


def test_names_of_headers_are_lower_case_and_of_several_the_first_counts() -> None:
    async def main() -> None:
        one = fed(OK + b"X-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")
        assert {"x-a": "1", "content-length": "0"} == one.headers

    run(main())


def test_a_trailer_is_no_header() -> None:
    async def main() -> None:
        one = fed(CHUNKED + b"0\r\nRetry-After: 9\r\n\r\n")
        assert (True, {"transfer-encoding": "chunked"}) == (one.is_complete, one.headers)

    run(main())


def test_an_interim_answer_is_passed_over() -> None:
    async def main() -> None:
        one = fed(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        assert (0, False) == (one.status, one.is_complete)
        one.feed(HELLO)
        assert (200, {"content-length": "5"}, b"hello") == (one.status, one.headers, await body_of(one))

    run(main())


@pytest.mark.parametrize("more", [b"x", HELLO], ids=["a byte", "a second answer"])
@pytest.mark.parametrize("at_once", [True, False])
def test_an_endpoint_that_says_more_than_was_asked_for_is_not_asked_again(more: bytes, at_once: bool) -> None:
    async def main() -> None:
        one = fed(HELLO + more) if at_once else fed(HELLO, more)
        assert (True, False, b"hello") == (one.is_complete, one.is_reusable, await body_of(one))

    run(main())


@pytest.mark.parametrize("head", [OK + b"connection: close\r\n", b"HTTP/1.0 200 OK\r\n"])
def test_a_connection_that_is_to_be_closed_is_not_used_again(head: bytes) -> None:
    async def main() -> None:
        one = fed(head + b"content-length: 2\r\n\r\n{}")
        assert (True, False) == (one.is_complete, one.is_reusable)

    run(main())


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async def main() -> None:
        one = fed(OK + b"\r\nhel", b"lo")
        assert not one.is_complete
        one.lost(None)
        assert (True, False, b"hello") == (one.is_complete, one.is_reusable, await body_of(one))

    run(main())


def test_what_came_of_an_answer_that_is_cut_off_can_be_read_before_that_is_told() -> None:
    async def main() -> None:
        one = fed(CHUNKED + b"2\r\nhe\r\n")
        one.lost("the connection was lost: connection reset by peer")
        assert b"he" == await one.readany()
        for _ in range(2):
            with pytest.raises(Failed, match="the answer was cut off"):
                await one.readany()

    run(main())


@pytest.mark.parametrize(
    ("pieces", "reason", "expected", "is_silent"),
    [
        ((), None, "the connection was closed without an answer", True),
        ((), "the connection was lost: broken pipe", "the connection was lost: broken pipe", True),
        ((b"HTTP/1.1 2",), None, "the connection was closed without an answer", False),
    ],
)
def test_a_connection_that_ends_before_the_head_tells_whether_anything_came(
    pieces: tuple[bytes, ...], reason: str | None, expected: str, is_silent: bool
) -> None:
    async def main() -> None:
        one = fed(*pieces)
        one.lost(reason)
        with pytest.raises(Failed, match=expected) as failed:
            await one.head()
        assert is_silent == failed.value.is_silent

    run(main())


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01 what is this",
        OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        OK + b"x: " + b"y" * MAX_HEAD_BYTES,
    ],
    ids=["no HTTP", "two lengths", "a head without end"],
)
def test_what_is_no_answer_is_none(data: bytes) -> None:
    async def main() -> None:
        one = fed(data)
        with pytest.raises(Failed, match="the answer is not valid HTTP"):
            await one.head()
        assert not one.is_reusable

    run(main())


def test_an_endpoint_that_changes_the_protocol_is_left() -> None:
    async def main() -> None:
        one = fed(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nzzz")
        assert (101, False) == (one.status, one.is_reusable)

    run(main())


def test_a_head_may_come_with_much_of_its_body() -> None:
    async def main() -> None:
        one = fed(OK + b"content-length: 200000\r\n\r\n" + b"x" * 200_000)
        assert 200_000 == len(await body_of(one))

    run(main())


def test_a_chunk_that_makes_no_sense_cuts_the_answer_off() -> None:
    async def main() -> None:
        one = fed(CHUNKED + b"2\r\nhe\r\n", b"zz\r\n")
        assert b"he" == await one.readany()
        with pytest.raises(Failed, match="the answer was cut off"):
            await one.readany()

    run(main())


def test_reading_pauses_while_too_much_is_held_and_goes_on_when_it_is_taken() -> None:
    async def main() -> None:
        line = Line()
        one = exchange(line, hold_bytes=4)
        one.feed(CHUNKED + b"3\r\nabc\r\n")
        assert [] == line.said
        one.feed(b"3\r\ndef\r\n")
        one.feed(b"3\r\nghi\r\n")
        assert ["pause"] == line.said
        assert b"abcdefghi" == await one.readany()
        assert ["pause", "resume"] == line.said

    run(main())


def test_closing_ends_a_wait_and_hands_the_line_back() -> None:
    async def main() -> None:
        line = Line()
        one = exchange(line)
        waiting = asyncio.ensure_future(one.head())
        await asyncio.sleep(0)
        one.close()
        with pytest.raises(Failed, match="closed before its end"):
            await waiting
        assert ["over"] == line.said
        one.feed(HELLO)  # too late
        assert 0 == one.status

    run(main())


@pytest.mark.parametrize("pieces", [(HELLO,), (HELLO[:-1],)], ids=["come in whole", "given up"])
def test_an_exchange_that_is_over_is_gone_without_the_garbage_collector(pieces: tuple[bytes, ...]) -> None:
    """The router's collector comes by rarely, and each exchange holds a parser."""

    async def main() -> None:
        gc.collect()
        gc.disable()
        try:
            one = fed(*pieces)
            await one.readany()
            one.close()
            del one
            assert 0 == gc.collect()
        finally:
            gc.enable()

    run(main())
