"""Answers that are kept."""

import asyncio
import json
from typing import Any

import pytest

from router.company import SSE_COMMENT, Client
from router.plugins.caching import recorded, replay
from router.plugins.recording import RecordingClient
from router.plugins.response_cache import CachedAnswer, ResponseCache, ResponseCacheSettings
from router.policy.catalog import Pool
from router.protocol.chunk import CHAT, DONE, Identity, empty_choice
from router.protocol.plugins.replay import Name

OLD, NEW = Name("gen-1-old", 1_000), Name("gen-2-new", 2_000)
POOL = Pool("local", "m", "m", "local", context_length=4_096)
WHOLE = json.dumps({"id": OLD.generation_id, "created": OLD.created, "usage": {"cost": 1}}).encode()


class Listening:
    """A client that keeps what it is given."""

    def __init__(self) -> None:
        self.started: list[tuple[bool, int | None]] = []
        self.data = b""
        self.ends = 0

    async def start(self, *, stream: bool, length: int | None) -> None:
        self.started.append((stream, length))

    async def write(self, data: bytes, *, more: bool) -> None:
        self.data += data
        self.ends += not more


def answer(data: bytes = WHOLE, kept_at: float = 0.0, ttl_s: int = 10, is_stream: bool = False) -> CachedAnswer:
    return CachedAnswer(data, is_stream, OLD, POOL, "stop", kept_at, ttl_s)


def cache(most_bytes: int = 10_000, entry_bytes: int = 1_000) -> ResponseCache:
    return ResponseCache(ResponseCacheSettings(most_bytes, entry_bytes))


def test_an_answer_is_kept_for_its_time_and_no_longer() -> None:
    kept = cache()
    assert kept.get(b"k", 0.0) is None
    kept.put(b"k", answer(kept_at=5.0, ttl_s=10))
    assert answer(kept_at=5.0) == kept.get(b"k", 14.9)
    assert kept.get(b"k", 15.0) is None
    assert (0, 0, 1, 2) == (len(kept), kept.bytes, kept.hits, kept.misses)


def test_the_least_recently_used_goes_first_and_the_bytes_are_right() -> None:
    kept = cache(most_bytes=2_000)
    for name in (b"a", b"b", b"c"):
        kept.put(name, answer(b"x" * 100))
    kept.get(b"a", 0.0)
    kept.put(b"d", answer(b"x" * 100))
    assert [True, False, True, True] == [kept.get(name, 0.0) is not None for name in (b"a", b"b", b"c", b"d")]
    assert 3 * 612 == kept.bytes
    kept.put(b"a", answer(b"x"))
    kept.drop(b"c")
    kept.drop(b"none")
    assert 612 + 513 == kept.bytes


def test_an_answer_that_is_too_large_is_not_kept_and_neither_is_the_one_before_it() -> None:
    kept = cache()
    kept.put(b"k", answer(b"x"))
    kept.put(b"k", answer(b"x" * 1_001))
    assert (0, 0) == (len(kept), kept.bytes)
    assert not ResponseCache(ResponseCacheSettings(most_bytes=0)).is_on


@pytest.mark.parametrize("name", ["most_bytes", "entry_bytes"])
def test_settings_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be at least 0"):
        ResponseCacheSettings(**{name: -1})


def record(kept: ResponseCache, *writes: bytes, fails: bool = False, is_good: bool = True) -> Listening:
    client = Listening()

    async def answering(to: Client) -> None:
        await to.start(stream=True, length=None)
        for data in writes:
            await to.write(data, more=True)
        if fails:
            raise ConnectionError
        await to.write(b"", more=False)

    def keep(data: bytes, is_stream: bool) -> CachedAnswer | None:
        return answer(data, is_stream=is_stream) if is_good else None

    async def main() -> None:
        await recorded(kept, b"k", client, answering, keep)

    if fails:
        with pytest.raises(ConnectionError):
            asyncio.run(main())
    else:
        asyncio.run(main())
    return client


def test_an_answer_passes_while_it_is_recorded_and_is_kept_when_it_is_whole() -> None:
    kept = cache()
    client = record(kept, SSE_COMMENT, b"data: 1\n\n", b"data: 2\n\n")
    assert (SSE_COMMENT + b"data: 1\n\ndata: 2\n\n", 1, [(True, None)]) == (client.data, client.ends, client.started)
    assert answer(b"data: 1\n\ndata: 2\n\n", is_stream=True) == kept.get(b"k", 0.0)
    assert 0 == kept.recording_bytes


@pytest.mark.parametrize("case", [{"fails": True}, {"is_good": False}])
def test_an_answer_that_failed_is_not_kept(case: dict[str, Any]) -> None:
    kept = cache()
    record(kept, b"data: 1\n\n", **case)
    assert (0, 0) == (len(kept), kept.recording_bytes)


def test_an_answer_that_grows_too_large_passes_and_is_not_kept() -> None:
    kept = cache()
    assert 1_200 == len(record(kept, b"x" * 600, b"y" * 600).data)
    assert (0, 0) == (len(kept), kept.recording_bytes)


def test_all_that_is_being_recorded_is_bounded_together() -> None:
    kept = cache(most_bytes=1_500)

    async def main() -> None:
        first, second = (RecordingClient(Listening(), kept) for _ in range(2))
        for client in (first, second):
            await client.write(b"x" * 900, more=True)
        assert 900 == kept.recording_bytes
        await first.write(b"", more=False)
        await second.write(b"", more=False)
        assert (b"x" * 900, None) == (first.data, second.data)
        for client in (first, second, first):
            client.close()
        assert 0 == kept.recording_bytes

    asyncio.run(main())


def test_a_whole_answer_is_given_once_more() -> None:
    client = Listening()
    asyncio.run(replay(answer(), NEW, client))
    told = json.loads(client.data)
    assert (NEW.generation_id, NEW.created, 0) == (told["id"], told["created"], told["usage"]["cost"])
    assert ([(False, len(client.data))], 1) == (client.started, client.ends)


def test_a_stream_is_given_once_more() -> None:
    last = Identity(OLD.generation_id, "m", "local", OLD.created).chunk(
        CHAT, {"choices": [empty_choice(CHAT, None, None)]}
    )
    client = Listening()
    asyncio.run(replay(answer(last + DONE, is_stream=True), NEW, client))
    assert b'data: {"id":"gen-2-new",' in client.data
    assert ([(True, None)], 1, True) == (client.started, client.ends, client.data.endswith(DONE))
