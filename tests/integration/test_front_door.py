"""The front door of a real router process, by raw bytes: what is ambiguous is refused, what is slow is cut off.

Every row of the tables is sent on a connection of its own. Behind stands an engine that must not hear of it.
"""

import asyncio
import json
import resource
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import trustme

from tests import fault_behaviours as faults
from tests.certificates import put
from tests.faults import Exchange
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter, until

PATIENCE_S = 20.0
BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hello?"}]}).encode()
AUTH = b"Authorization: Bearer %b\r\n" % KEY.encode()
CHAT = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: router\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
SMUGGLED = CHAT + HOST + AUTH + LENGTH + b"\r\n" + BODY


def get(line: bytes, headers: bytes = HOST) -> bytes:
    return line + b"\r\n" + headers + AUTH + b"\r\n"


def chat(headers: bytes, body: bytes = BODY, host: bytes = HOST, line: bytes = CHAT) -> bytes:
    return line + host + AUTH + headers + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    return chat(CHUNKED, body)


def path(target: bytes) -> bytes:
    return get(b"GET %b HTTP/1.1" % target)


def named(host: bytes) -> bytes:
    return get(b"GET /v1/models HTTP/1.1", b"Host: %b\r\n" % host)


def header(line: bytes) -> bytes:
    return chat(LENGTH + line + b"\r\n")


# What must get exactly one answer, an error in the API's shape, and the end of its connection.
REFUSED: dict[str, tuple[int, bytes]] = {
    # whose is the body?
    "length and coding": (400, chat(LENGTH + CHUNKED, CHUNKS)),
    "coding and length": (400, chat(CHUNKED + LENGTH, CHUNKS)),
    "two lengths": (400, chat(LENGTH + LENGTH)),
    "two lengths that differ": (400, chat(LENGTH + b"Content-Length: 1\r\n")),
    "a list of lengths": (400, chat(b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY)))),
    "a length with a sign": (400, chat(b"Content-Length: +%d\r\n" % len(BODY))),
    "a negative length": (400, chat(b"Content-Length: -1\r\n")),
    "a length in hex": (400, chat(b"Content-Length: 0x%x\r\n" % len(BODY))),
    "a length with a blank": (400, chat(b"Content-Length: 1 0\r\n")),
    "a length with an underscore": (400, chat(b"Content-Length: 1_0\r\n")),
    "an empty length": (400, chat(b"Content-Length:\r\n")),
    "a length beyond 64 bits": (400, chat(b"Content-Length: 99999999999999999999999\r\n")),
    "an unknown coding": (400, chat(b"Transfer-Encoding: xchunked\r\n", CHUNKS)),
    "coding identity": (400, chat(b"Transfer-Encoding: identity\r\n")),
    "coding gzip and chunked": (400, chat(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS)),
    "coding chunked and identity": (400, chat(b"Transfer-Encoding: chunked, identity\r\n", CHUNKS)),
    "coding chunked twice": (400, chat(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS)),
    "two codings": (400, chat(CHUNKED + CHUNKED, CHUNKS)),
    "a second coding that is none": (400, chat(CHUNKED + b"Transfer-Encoding: x\r\n", CHUNKS)),
    "a quoted coding": (400, chat(b'Transfer-Encoding: "chunked"\r\n', CHUNKS)),
    "a coding behind a vertical tab": (400, chat(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS)),
    "a coding with a parameter": (400, chat(b"Transfer-Encoding: chunked;q=1\r\n", CHUNKS)),
    "an empty coding": (400, chat(b"Transfer-Encoding:\r\n", CHUNKS)),
    "chunked in HTTP/1.0": (400, chat(CHUNKED, CHUNKS, line=CHAT.replace(b"1.1", b"1.0"))),
    "a blank before the colon of the coding": (400, chat(LENGTH + b"Transfer-Encoding : chunked\r\n")),
    "a compressed body": (415, chat(LENGTH + b"Content-Encoding: gzip\r\n")),
    "a body compressed twice": (415, chat(LENGTH + b"Content-Encoding: identity, br\r\n")),
    "another expectation": (417, chat(LENGTH + b"Expect: 200-ok\r\n")),
    # chunks
    "a chunk size in decimal notation of C": (400, chunked(b"0x" + CHUNKS)),
    "a negative chunk size": (400, chunked(b"-" + CHUNKS)),
    "a chunk size that is missing": (400, chunked(b"\r\n" + CHUNKS)),
    "a chunk size before a blank": (400, chunked(b"%x \r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))),
    "a chunk size after a blank": (400, chunked(b" " + CHUNKS)),
    "a chunk size beyond 64 bits": (400, chunked(b"f" * 17 + b"\r\n" + BODY)),
    "a chunk size that ends in LF": (400, chunked(CHUNKS.replace(b"\r\n", b"\n", 1))),
    "a chunk extension that ends in LF": (400, chunked(CHUNKS.replace(b"\r\n", b";x\n", 1))),
    "a CR within a chunk extension": (400, chunked(CHUNKS.replace(b"\r\n", b";x\ry\r\n", 1))),
    "a chunk longer than its size": (400, chunked(b"2\r\nabc\r\n0\r\n\r\n")),
    "a chunk without its CRLF": (400, chunked(b"%x\r\n%b0\r\n\r\n" % (len(BODY), BODY))),
    "a chunk that ends in LF": (400, chunked(b"%x\r\n%b\n0\r\n\r\n" % (len(BODY), BODY))),
    "a last chunk that ends in LF": (400, chunked(CHUNKS.removesuffix(b"\r\n") + b"\n")),
    "a trailer": (400, chunked(CHUNKS.removesuffix(b"\r\n") + b"X-Late: 1\r\n\r\n")),
    "a length in the trailers": (400, chunked(CHUNKS.removesuffix(b"\r\n") + b"Content-Length: 6\r\n\r\n")),
    "an extension of 64 kB": (400, chunked(b"2;" + b"x" * 65_536 + b"\r\n")),
    "extensions of 2 kB for every byte": (400, chunked((b"1;" + b"x" * 2_000 + b"\r\nx\r\n") * 20)),
    # lines
    "line ends of LF alone": (400, (CHAT + HOST + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + BODY),
    "one line that ends in LF": (400, header(b"X: 1\nY: 2")),
    "a head that ends in LF": (400, CHAT + HOST + LENGTH + b"\n" + BODY),
    "a CR within a value": (400, header(b"X: 1\rY: 2")),
    "a folded line": (400, header(b"X: 1\r\n 2")),
    "a line folded with a tab": (400, header(b"X: 1\r\n\t2")),
    "a folded first line": (400, CHAT + b" Host: router\r\n\r\n"),
    "a NUL in a value": (400, header(b"X: a\0b")),
    "a control in a value": (400, header(b"X: a\x01b")),
    "a DEL in a value": (400, header(b"X: a\x7fb")),
    "a NUL in a name": (400, header(b"X\0: 1")),
    "a blank before the colon": (400, header(b"X : 1")),
    "a header without a name": (400, header(b": 1")),
    "a header without a colon": (400, header(b"X")),
    "a name that is not ASCII": (400, header(b"\xe9: 1")),
    "a name with parentheses": (400, header(b"x(y): 1")),
    "two keys": (400, header(AUTH.strip())),
    "two types": (400, header(b"Content-Type: application/json\r\nContent-Type: text/plain")),
    # the first line
    "HTTP/0.9": (400, b"GET /v1/models\r\n\r\n"),
    "HTTP/0.9 by name": (400, get(b"GET /v1/models HTTP/0.9")),
    "HTTP/1.2": (400, get(b"GET /v1/models HTTP/1.2")),
    "HTTP/2.0": (400, get(b"GET /v1/models HTTP/2.0")),
    "the preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http in lower case": (400, get(b"GET /v1/models http/1.1")),
    "RTSP": (400, get(b"OPTIONS /v1/models RTSP/1.0")),
    "two blanks after the method": (400, get(b"GET  /v1/models HTTP/1.1")),
    "two blanks before the version": (400, get(b"GET /v1/models  HTTP/1.1")),
    "a tab after the method": (400, get(b"GET\t/v1/models HTTP/1.1")),
    "a blank behind the version": (400, get(b"GET /v1/models HTTP/1.1 ")),
    "a method in lower case": (400, get(b"get /v1/models HTTP/1.1")),
    "an unknown method": (400, get(b"BREW /v1/models HTTP/1.1")),
    "TRACE": (400, get(b"TRACE /v1/models HTTP/1.1")),
    "CONNECT": (400, get(b"CONNECT router:80 HTTP/1.1")),
    "absolute form": (400, get(b"GET http://other/v1/models HTTP/1.1")),
    "authority form": (400, get(b"GET router:80 HTTP/1.1")),
    "asterisk form": (400, get(b"OPTIONS * HTTP/1.1")),
    "a fragment": (400, path(b"/v1/models#x")),
    "a path without a slash": (400, path(b"v1/models")),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "an LF before the request": (400, b"\n" + get(b"GET /v1/models HTTP/1.1")),
    # paths
    "a control in the path": (400, path(b"/v1/\x01models")),
    "an escaped control": (400, path(b"/v1/%00models")),
    "an escaped line end": (400, path(b"/v1/models%0d%0aX:%201")),
    "a dot segment": (400, path(b"/healthz/../v1/models")),
    "an escaped dot segment": (400, path(b"/healthz/%2e%2E/v1/models")),
    "a dot segment between escaped slashes": (400, path(b"/healthz%2f..%2fv1%2fmodels")),
    "a backslash": (400, path(b"/healthz\\v1")),
    "an escaped backslash": (400, path(b"/healthz%5c..%5cv1")),
    "two slashes": (400, path(b"//v1/models")),
    "a host in the path": (400, path(b"//evil.example/v1/models")),
    "a broken escape": (400, path(b"/v1/%zzmodels")),
    "bytes that are no UTF-8": (400, path(b"/v1/%ff")),
    "an overlong encoding": (400, path(b"/v1/%c0%afmodels")),
    "a path of 3 kB": (414, path(b"/v1/" + b"m" * 3_000)),
    # hosts
    "no host": (400, get(b"GET /v1/models HTTP/1.1", b"")),
    "two hosts": (400, get(b"GET /v1/models HTTP/1.1", HOST + HOST)),
    "two hosts that differ": (400, get(b"GET /v1/models HTTP/1.1", HOST + b"Host: other\r\n")),
    "an empty host": (400, named(b"")),
    "a host with a path": (400, named(b"router/v1")),
    "a host with a query": (400, named(b"router?x")),
    "a host with a fragment": (400, named(b"router#x")),
    "a host with a user": (400, named(b"me@router")),
    "a host with a blank": (400, named(b"router other")),
    "a list of hosts": (400, named(b"router,other")),
    "a host that is no port": (400, named(b"router:http")),
    "a host of 300 bytes": (400, named(b"r" * 300)),
    # too much
    "a header of 40 kB": (431, header(b"X: " + b"x" * 40_000)),
    "a name of 40 kB": (431, header(b"x" * 40_000 + b": 1")),
    "a line of 40 kB": (431, path(b"/v1/models?" + b"x" * 40_000)),
    "a head without an end": (431, CHAT + b"X: " + b"x" * 40_000),
    "101 headers": (431, header(b"\r\n".join(b"X-%d: 1" % i for i in range(99)))),
}

# Good requests with something behind them that looks like another: one answer, then the end, and nobody serves it.
FOLLOWED: dict[str, bytes] = {
    "a second request": SMUGGLED + SMUGGLED,
    "a second request behind chunks": chunked(CHUNKS) + SMUGGLED,
    "a second request behind a length that is too small": chat(LENGTH, BODY + SMUGGLED),
    "a second request behind a last one": chat(LENGTH + b"Connection: close\r\n", BODY + SMUGGLED),
    "half a request": SMUGGLED + SMUGGLED[:30],
    "garbage": SMUGGLED + b"\x00\x01garbage",
    "a request in the body of an upgrade": chat(LENGTH + b"Connection: Upgrade\r\nUpgrade: h2c\r\n", BODY + SMUGGLED),
    "the preface of HTTP/2 behind an upgrade": chat(
        LENGTH + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        BODY + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
}

# Odd, but clear: answered like any other.
ODD: dict[str, tuple[int, bytes]] = {
    "an empty line before the request": (200, b"\r\n" + SMUGGLED),
    "CHUNKED": (200, chat(b"TRANSFER-ENCODING: CHUNKED\r\n", CHUNKS)),
    "a short chunk extension": (200, chunked(CHUNKS.replace(b"\r\n", b";x=y\r\n", 1))),
    "every byte its own chunk": (200, chunked(b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n")),
    "a length with zeros before it": (200, chat(b"Content-Length: 000%d\r\n" % len(BODY))),
    "an upgrade to HTTP/2 of a request with a body": (200, chat(LENGTH + b"Connection: Upgrade\r\nUpgrade: h2c\r\n")),
    "the same in chunks": (200, chat(CHUNKED + b"connection: upgrade\r\nupgrade: h2c\r\n", CHUNKS)),
    "a WebSocket": (200, get(b"GET /v1/models HTTP/1.1", HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n")),
    "a body coded as identity": (200, chat(LENGTH + b"Content-Encoding: identity\r\n")),
    "HTTP/1.0 without a host": (200, get(b"GET /v1/models HTTP/1.0", b"")),
    "a host with a port": (200, named(b"router.example:8080")),
    "a host that is IPv6": (200, named(b"[::1]:8080")),
    "an escaped letter": (200, path(b"/v1/%6dodels")),
    "an escaped slash": (404, path(b"/v1%2fmodels")),
    "a per cent sign that was escaped twice": (404, path(b"/v1/%252e%252e/models")),
    "a slash at the end": (404, path(b"/v1/models/")),
    "a path parameter": (404, path(b"/v1/models;x=y")),
    "a length of a GET": (200, get(b"GET /v1/models HTTP/1.1", HOST + b"Content-Length: 0\r\n")),
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def connected(
    url: str, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(url)
    name = {} if tls is None else {"ssl": tls, "server_hostname": "router.example"}
    reader, writer = await asyncio.open_connection(address.hostname, address.port, **name)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> Answer | None:
    """The next answer; None when the connection ends without one."""
    head = b""
    while not head or head == b"HTTP/1.1 100 Continue\r\n\r\n":
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split(" ")[1]), headers, await reader.readexactly(int(headers["content-length"])))


async def ask(url: str, raw: bytes) -> list[Answer]:
    """All answers that come on one connection until the router closes it."""
    found: list[Answer] = []
    async with asyncio.timeout(PATIENCE_S), connected(url) as (reader, writer):
        writer.write(raw)
        while (one := await answer(reader)) is not None:
            found.append(one)
    return found


async def ask_all(url: str, raws: Iterable[bytes]) -> list[list[Answer]]:
    return await asyncio.gather(*(ask(url, raw) for raw in raws))


def test_what_could_be_understood_in_two_ways_is_refused_and_ends_its_connection(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            found = await ask_all(r.url, (raw for _, raw in REFUSED.values()))
            statuses = {name: [a.status for a in answers] for name, answers in zip(REFUSED, found, strict=True)}
            assert {name: [status] for name, (status, _) in REFUSED.items()} == statuses
            for (only,) in found:
                error = json.loads(only.body)["error"]
                assert (error["code"], only.headers["connection"]) == (only.status, "close")
                assert error["message"]
                assert error["metadata"]["reason"]
            assert [] == upstream.requests
            assert len(REFUSED) == await r.metric("tramontane_connections_refused_total")
            await until(lambda: _rests(r))

    asyncio.run(main())


def test_what_follows_a_request_is_never_served(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            found = await ask_all(r.url, FOLLOWED.values())
            assert {name: [200] for name in FOLLOWED} == {
                name: [a.status for a in answers] for name, answers in zip(FOLLOWED, found, strict=True)
            }
            assert len(FOLLOWED) == len(upstream.requests)

    asyncio.run(main())


def test_a_request_that_comes_while_another_is_handled_is_never_served(router: StartRouter) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()

        async def slow_answer(exchange: Exchange) -> None:
            await go.get()
            await faults.good_answer(exchange)

        async with Engine(slow_answer) as upstream, router(upstream) as r, connected(r.url) as (reader, writer):
            writer.write(SMUGGLED)
            await upstream.asked.wait()
            writer.write(SMUGGLED)
            await until(lambda: _has_counted(r, "pipelined"))
            go.put_nowait(None)
            first = await answer(reader)
            assert first is not None
            assert first.status == 200
            assert await answer(reader) is None
            assert len(upstream.requests) == 1

    asyncio.run(main())


def test_what_is_only_odd_is_answered(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:

            async def first(raw: bytes) -> Answer | None:
                async with asyncio.timeout(PATIENCE_S), connected(r.url) as (reader, writer):
                    writer.write(raw)
                    return await answer(reader)

            found = await asyncio.gather(*(first(raw) for _, raw in ODD.values()))
            assert {name: status for name, (status, _) in ODD.items()} == {
                name: one and one.status for name, one in zip(ODD, found, strict=True)
            }
            assert not any("location" in one.headers for one in found if one is not None)
            asked = [raw for _, raw in ODD.values() if b"chat/completions" in raw]
            assert [BODY] * len(asked) != []
            assert len(asked) == len(upstream.requests)

    asyncio.run(main())


def test_a_connection_serves_many_requests_and_waits_for_the_word_to_go_on(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream) as r:
            async with connected(r.url) as (reader, writer):
                for _ in range(3):
                    writer.write(SMUGGLED + b"\r\n")
                    one = await answer(reader)
                    assert one is not None
                    assert one.status == 200
                writer.write(chat(LENGTH + b"Expect: 100-continue\r\n", b""))
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(BODY)
                last = await answer(reader)
                assert last is not None
                assert last.status == 200
            assert len(upstream.requests) == 4

    asyncio.run(main())


QUICK = {"first_byte_s": 0.4, "head_s": 0.4, "body_gap_s": 0.4, "body_grace_s": 0.5, "write_gap_s": 0.6}


def test_two_hundred_slow_clients_are_cut_off_while_others_are_served(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream, front=QUICK) as r:
            stop = asyncio.Event()

            async def slow_head() -> int | None:
                async with connected(r.url) as (reader, writer):
                    reading = asyncio.ensure_future(answer(reader))
                    for byte in SMUGGLED:
                        writer.write(bytes((byte,)))
                        if (await asyncio.wait((reading,), timeout=0.1))[0]:
                            break
                    found = await reading
                    return found and found.status

            async def slow_body() -> int | None:
                async with connected(r.url) as (reader, writer):
                    writer.write(CHAT + HOST + AUTH + b"Content-Length: 1000000\r\n\r\n")
                    reading = asyncio.ensure_future(answer(reader))
                    while not (await asyncio.wait((reading,), timeout=0.1))[0]:
                        writer.write(b" ")
                    found = await reading
                    return found and found.status

            async def silent() -> int | None:
                async with connected(r.url) as (reader, _):
                    found = await answer(reader)
                    return found and found.status

            async def others() -> list[int]:
                statuses: list[int] = []
                while not stop.is_set():
                    statuses.append((await r.ask({"messages": [{"role": "user", "content": "Hello?"}]}))[0])
                return statuses

            serving = asyncio.ensure_future(others())
            async with asyncio.timeout(60):
                found = await asyncio.gather(*([slow_head() for _ in range(100)] + [slow_body() for _ in range(50)]))
                nothing = await asyncio.gather(*(silent() for _ in range(50)))
            stop.set()
            assert [408] * 150 == found
            assert [None] * 50 == nothing
            served = await serving
            assert set(served) == {200}
            assert len(served) == len(upstream.requests)
            await until(lambda: _rests(r))
            assert await r.metric('tramontane_connections_refused_total{reason="slow_head"}') == 100
            assert await r.metric('tramontane_connections_refused_total{reason="slow_body"}') == 50
            assert await r.metric('tramontane_connections_refused_total{reason="no_request"}') == 50

    asyncio.run(main())


def test_a_client_that_does_not_read_is_cut_off_and_its_engine_is_let_go(router: StartRouter) -> None:
    async def main() -> None:
        async def flood(exchange: Exchange) -> None:
            exchange.send(faults.STREAM_HEAD + faults.chunk(faults.token("x" * 60_000)) * 400)  # more than kernels hold
            await exchange.gone.wait()

        async with Engine(flood) as upstream, router(upstream, front=QUICK) as r:
            before = r.resident_bytes()
            async with connected(r.url) as (_, writer):
                body = json.dumps({**json.loads(BODY), "stream": True}).encode()
                writer.write(CHAT + HOST + AUTH + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                writer.transport.pause_reading()
                async with asyncio.timeout(PATIENCE_S):
                    await upstream.client_gone.wait()
                assert r.resident_bytes() - before < 8_000_000
                await until(lambda: _has_counted(r, "slow_reader"))
                writer.transport.abort()
            await until(lambda: _rests(r))

    asyncio.run(main())


def test_at_the_limit_the_longest_idle_makes_room_and_then_new_ones_are_refused(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as upstream, router(upstream, front={"connections": 8}) as r:
            await r.session.close()
            async with asyncio.timeout(PATIENCE_S):
                opened = [connected(r.url) for _ in range(8)]
                pairs = [await one.__aenter__() for one in opened]
                oldest_reader, oldest_writer = pairs[0]
                oldest_writer.write(SMUGGLED)
                assert (await answer(oldest_reader)) is not None
                async with connected(r.url) as (reader, writer):  # the ninth: the idle one goes
                    assert await answer(oldest_reader) is None
                    [refused] = await ask(r.url, b"")  # the tenth: nobody is idle
                    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
                    writer.write(SMUGGLED)
                    assert (await answer(reader)) is not None
                for one in opened:
                    await one.__aexit__(None, None, None)

    asyncio.run(main())


def test_the_router_outlives_the_end_of_its_file_descriptors(router: StartRouter) -> None:
    async def main() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with Engine(faults.good_answer) as upstream, router(upstream, front={"connections": 10_000}) as r:
            resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE, (64, hard))
            opened = []
            for _ in range(200):
                try:
                    one = connected(r.url)
                    await one.__aenter__()
                    opened.append(one)
                except OSError:
                    pass
            before = _cpu_s(r.process.pid)
            await asyncio.sleep(1.0)  # to see what the router does meanwhile: nothing
            assert _cpu_s(r.process.pid) - before < 0.5
            for one in opened:
                await one.__aexit__(None, None, None)
            await until(lambda: _is_served(r))
            assert r.process.poll() is None

    asyncio.run(main())


def test_ports_of_their_own_serve_their_own_routes_alone(tmp_path: Path) -> None:
    async def main() -> None:
        expected = {
            "data": {"/v1/models": 200, "/metrics": 404, "/readyz": 404, "/status": 404},
            "metrics": {"/v1/models": 404, "/metrics": 200, "/readyz": 200, "/status": 404},
            "admin": {"/v1/models": 404, "/metrics": 404, "/readyz": 404, "/status": 200},
        }
        async with Engine(faults.good_answer) as upstream, several_ports(tmp_path, upstream) as r:
            found: dict[str, dict[str, int]] = {}
            for port, paths in expected.items():
                for where in paths:
                    async with r.session.get(getattr(r, port) + where) as response:
                        found.setdefault(port, {})[where] = response.status
            assert expected == found
            async with r.session.post(r.admin + "/v1/chat/completions", data=BODY) as response:
                assert response.status == 404
            assert [] == upstream.requests

    asyncio.run(main())


def test_the_port_for_metrics_says_not_ready_and_stays_until_the_last_stream_has_ended(tmp_path: Path) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        async with Engine(faults.slow_stream(faults.STREAM, go)) as upstream, several_ports(tmp_path, upstream) as r:
            go.put_nowait(None)
            body = json.dumps({**json.loads(BODY), "stream": True})
            async with r.session.post(r.data + "/v1/chat/completions", data=body) as response:
                await response.content.readany()
                r.process.terminate()

                async def leaves() -> bool:
                    async with r.session.get(r.metrics + "/readyz") as ready:
                        return ready.status == 503

                await until(leaves)
                async with r.session.get(r.metrics + "/metrics") as metrics:
                    assert metrics.status == 200
                for _ in faults.STREAM[1:]:
                    go.put_nowait(None)
                assert (await response.content.read()).endswith(b"data: [DONE]\n\n")
            assert await asyncio.to_thread(r.process.wait, 30) == 0

    asyncio.run(main())


def test_other_origins_are_let_in_by_name_alone_and_never_to_administration(router: StartRouter) -> None:
    async def main() -> None:
        async def preflight(r: Router, where: str, origin: str) -> str | None:
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            async with r.session.options(r.url + where, headers=headers) as response:
                assert "access-control-allow-credentials" not in response.headers
                return response.headers.get("access-control-allow-origin")

        app, other, where = "https://app.example", "https://other.example", "/v1/chat/completions"
        async with Engine(faults.good_answer) as upstream:
            async with router(upstream) as r:
                assert await preflight(r, where, app) is None
            async with router(upstream, cors={"origins": [app]}) as r:
                assert app == await preflight(r, where, app)
                assert await preflight(r, where, other) is None
                assert await preflight(r, "/status", app) is None
                async with r.session.post(r.url + where, data=BODY, headers={"Origin": app}) as response:
                    assert (response.status, response.headers["access-control-allow-origin"]) == (200, app)

    asyncio.run(main())


def test_a_new_certificate_is_for_new_connections_and_the_old_one_lives_on(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = trustme.CA(), trustme.CA()

        def trusting(ca: trustme.CA) -> ssl.SSLContext:
            context = ssl.create_default_context()
            ca.configure_trust(context)
            context.set_alpn_protocols(["h2", "http/1.1"])
            return context

        tls = {**put(tmp_path, first), "reload_s": 0.1, "handshake_s": 2.0}
        async with Engine(faults.good_answer) as upstream, several_ports(tmp_path, upstream, tls=tls) as r:
            url = r.data
            async with connected(url, trusting(first)) as (reader, writer):
                secured = writer.get_extra_info("ssl_object")
                assert (secured.selected_alpn_protocol(), secured.version()) == ("http/1.1", "TLSv1.3")
                writer.write(SMUGGLED)
                assert (await answer(reader)) is not None
                of_another = trustme.CA().issue_cert("x").private_key_pem.bytes()
                (tmp_path / "tls.key").write_bytes(of_another)
                await asyncio.sleep(0.5)
                async with connected(url, trusting(first)):
                    pass  # the pair before is still there
                put(tmp_path, second)

                async def is_new() -> bool:
                    try:
                        async with connected(url, trusting(second)):
                            return True
                    except ssl.SSLError:
                        return False

                await until(is_new)
                with pytest.raises(ssl.SSLError):
                    async with connected(url, trusting(first)):
                        pass
                writer.write(SMUGGLED)
                assert (await answer(reader)) is not None
            assert [] == await ask(url, SMUGGLED)  # no HTTP without TLS
            async with connected(url) as (reader, writer):  # a handshake that never begins
                assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""

    asyncio.run(main())


@dataclass(frozen=True, slots=True)
class Ports:
    """A running router with several ports."""

    process: subprocess.Popen[str]
    data: str
    metrics: str
    admin: str
    session: aiohttp.ClientSession


@asynccontextmanager
async def several_ports(folder: Path, upstream: Engine, **listen: Any) -> AsyncIterator[Ports]:
    """The shared fixture knows one port; here are three."""
    pool = {"name": "local", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": [upstream.url]}}
    config = {
        "listen": {"port": 0, "metrics": {"port": 0}, "admin": {"port": 0}, **listen},
        "keys": [{"name": "test", "secret": {"value": KEY}}],
        "models": [{"id": MODEL, "context_length": 8192, "pools": [pool]}],
        "probe": {"interval_s": 0.05},
    }
    path = folder / "ports.yaml"
    path.write_text(json.dumps(config))
    argv = [sys.executable, "-m", "router", "--config", str(path)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    try:
        lines = [await asyncio.to_thread(process.stdout.readline) for _ in range(3)]
        data, metrics, admin = (line.split()[2] for line in lines)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:

            async def is_ready() -> bool:
                async with session.get(metrics + "/readyz") as response:
                    return response.status == 200

            await until(is_ready)
            yield Ports(process, data, metrics, admin, session)
    finally:
        if process.poll() is None:
            process.terminate()
        assert await asyncio.to_thread(process.wait, 30) == 0
        process.stdout.close()


async def _rests(r: Router) -> bool:
    """Nobody but who asks is there."""
    return (
        await r.metric('tramontane_connections{state="busy"}')
        + await r.metric('tramontane_connections{state="refused"}')
        <= 1
    )


async def _has_counted(r: Router, reason: str) -> bool:
    return await r.metric(f'tramontane_connections_refused_total{{reason="{reason}"}}') == 1


async def _is_served(r: Router) -> bool:
    try:
        return (await r.ask(json.loads(BODY)))[0] == 200
    except OSError:
        return False


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
