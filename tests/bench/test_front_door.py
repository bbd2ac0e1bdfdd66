import asyncio

from bench.front_door import NOBODY, Seen, table
from bench.hostile import Crowd, Held


def seen(p99_ms: float, kb_each: float | None = None, cut: int = 0) -> Seen:
    return Seen(1.0, p99_ms, 0.5, 2.0, kb_each, cut)


def test_a_crowd_is_compared_with_nobody() -> None:
    text = table({NOBODY: [seen(2.0), seen(3.0), seen(4.0)], "10 slow": [seen(5.0, 2.5, 7), seen(3.5, 3.5, 9)]})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert [NOBODY, "1.00", "3.00 (2.00 to 4.00)", "2.00", "", "", ""] == rows[2]
    assert ["10 slow", "1.00", "4.25 (3.50 to 5.00)", "2.00", "+1.25", "3.0", "9"] == rows[3]


async def crowded(*, is_slow: bool) -> tuple[Held, list[bytes]]:
    """A crowd of three at a server that answers, and cuts the first one off."""
    heads: list[bytes] = []
    was_cut = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await (reader.readexactly(3) if is_slow else reader.readuntil(b"\r\n\r\n")))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        if len(heads) > 1 or not is_slow:
            await reader.read()
        writer.close()
        was_cut.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        crowd = Crowd(f"{host}:{port}", is_slow=is_slow)
        await crowd.gather(3)
        if is_slow:
            for _ in range(3):
                for member in list(crowd.members):
                    member.drip()
            await was_cut.wait()
            async with asyncio.timeout(10):
                while len(crowd.members) < 3 or not crowd.cut:  # noqa: ASYNC110 - it comes back
                    await asyncio.sleep(0)
        held = crowd.end()
        await asyncio.sleep(0.05)
    return held, heads


def test_the_idle_ask_once_and_stay() -> None:
    held, heads = asyncio.run(crowded(is_slow=False))
    assert Held(open=3, cut=0) == held
    assert all(head.startswith(b"GET /healthz HTTP/1.1\r\n") for head in heads)


def test_the_slow_come_back_when_they_are_cut_off() -> None:
    held, heads = asyncio.run(crowded(is_slow=True))
    assert Held(open=3, cut=1) == held
    assert {b"GET"} == set(heads)
