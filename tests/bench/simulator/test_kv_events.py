"""KV-cache events over ZMQ, as a subscriber of vLLM's reads them."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bench.physics.engine import EngineSettings
from bench.simulator.prompt import block_names
from bench.simulator.tokenizer import FourBytes
from tests.bench.simulator.support import FAST, Client, with_engines

zmq = pytest.importorskip("zmq", reason="pyzmq comes with the engines")
SETTINGS = replace(FAST, kv_events=True)
TEXT = "Enough for some blocks of sixteen. " * 4  # 35 tokens and 3 around


async def replayed(client: Client, first: int = 0) -> list[tuple[int, list[dict[str, Any]]]]:
    """Number and events of each batch that is kept."""
    (source,) = (await client.http.get(client.url("/kv_event_sources"))).json()

    def ask() -> list[tuple[int, list[dict[str, Any]]]]:
        with zmq.Context() as context, context.socket(zmq.DEALER) as replay:
            replay.linger, replay.rcvtimeo = 0, 5000
            replay.connect(source["replay_endpoint"])
            replay.send_multipart([b"", first.to_bytes(8, "big")])
            batches = []
            while (frames := replay.recv_multipart())[-1]:
                _, _, number, payload = frames
                _, events, rank = msgspec.msgpack.decode(payload)
                assert rank == 0
                batches.append((int.from_bytes(number, "big"), events))
            assert frames[2] == (-1).to_bytes(8, "big", signed=True)
            return batches

    return await asyncio.to_thread(ask)


def test_blocks_that_enter_the_cache_are_told_with_their_tokens() -> None:
    async def work(client: Client) -> None:
        answer = (await client.chat(TEXT, max_tokens=30, return_token_ids=True)).json()
        batches = await replayed(client)
        assert list(range(len(batches))) == [number for number, _ in batches]
        events = [event for _, events in batches for event in events]
        assert {"BlockStored"} == {event["type"] for event in events}
        told = [token for event in events for token in event["token_ids"]]
        sequence = answer["prompt_token_ids"] + answer["choices"][0]["token_ids"]
        assert sequence[:64] == told  # 38 + 30 tokens, of which the last is never computed on
        names = [name for event in events for name in event["block_hashes"]]
        prompt = FourBytes().text("").ids[:0]
        prompt.extend(sequence)
        assert list(block_names(prompt, (), 16)) == names
        assert [None, names[1]] == [event["parent_block_hash"] for event in events[:2]]
        assert {16} == {event["block_size"] for event in events}

    with_engines(work, SETTINGS)


def test_the_salt_of_a_request_is_told_with_its_first_block() -> None:
    async def work(client: Client) -> None:
        await client.chat(TEXT, max_tokens=1, cache_salt="anne's")
        events = [event for _, events in await replayed(client) for event in events]
        assert [["anne's"], None] == [keys for event in events for keys in event["extra_keys"]]

    with_engines(work, SETTINGS)


def test_a_subscriber_hears_of_blocks_as_they_come() -> None:
    async def work(client: Client) -> None:
        (source,) = (await client.http.get(client.url("/kv_event_sources"))).json()
        with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
            subscriber.linger, subscriber.rcvtimeo = 0, 5000
            subscriber.subscribe(b"")
            subscriber.connect(source["endpoint"])
            for number in range(200):  # until the subscription has come through
                await client.chat(f"{number} {TEXT}", max_tokens=1)
                if await asyncio.to_thread(subscriber.poll, 10):
                    break
            topic, number_bytes, payload = subscriber.recv_multipart()
            assert (b"", 8) == (topic, len(number_bytes))
            assert "BlockStored" == msgspec.msgpack.decode(payload)[1][0]["type"]

    with_engines(work, SETTINGS)


def test_blocks_that_are_dropped_are_told() -> None:
    async def work(client: Client) -> None:
        for letter in "abc":
            await client.chat(letter * 800)
        events = [event for _, events in await replayed(client) for event in events]
        gone = [name for event in events if event["type"] == "BlockRemoved" for name in event["block_hashes"]]
        stored = [name for event in events if event["type"] == "BlockStored" for name in event["block_hashes"]]
        assert len(gone) > 5
        assert set(gone) <= set(stored)

    with_engines(work, replace(SETTINGS, engine=EngineSettings(kv_tokens=512), max_model_len=400))


def test_a_reset_cache_is_told() -> None:
    async def work(client: Client) -> None:
        await client.http.post(client.url("/reset_prefix_cache"))
        assert [(0, [{"type": "AllBlocksCleared"}])] == await replayed(client)

    with_engines(work, SETTINGS)


def test_a_replay_begins_where_it_is_asked_to_and_reaches_back_so_far() -> None:
    async def work(client: Client) -> None:
        for _ in range(6):
            await client.http.post(client.url("/reset_prefix_cache"))
        assert [3, 4, 5] == [number for number, _ in await replayed(client)]
        assert [5] == [number for number, _ in await replayed(client, 5)]
        assert [] == await replayed(client, 6)

    with_engines(work, replace(SETTINGS, replay_steps=3))
