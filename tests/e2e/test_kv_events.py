"""The prefix index from a real engine's KV-cache events, beside what the engine itself calls cached.

An engine of its own, with a cache so small that prompts push each other out, and vLLM's route to empty it.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import httpx
import pytest
import zmq.asyncio

from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.policy.replica_cache import ReplicaCache
from router.protocol.engine_blocks import EngineBlocks
from router.protocol.kv_events import BlockStored
from router.protocol.limits import Limits
from router.protocol.request import Request, parse_chat
from router.protocol.vocabulary import Vocabulary, parse_vocabulary
from router.upstream.directory import Directory
from router.upstream.kv_event_feed import Feed
from router.upstream.kv_event_settings import KVEventsSettings
from router.upstream.kv_event_source import ask_source
from router.upstream.kv_events import KVEvents
from router.upstream.session import open_session
from serving.pocket.chat import data_url
from serving.pocket.draw import Scene, draw
from tests.e2e.engines import MODEL, START_S, Cluster, engines

BLOCKS = 80  # of the engine's cache
POOL = Pool("p", MODEL, MODEL)
ID = EndpointId("engine")
TEKKEN = Path(__file__).parents[2] / "serving" / "pocket" / "weights" / "tekken.json"
WORDS = "red green blue star circle square one two three four left right above below grey pink".split()


@dataclass(frozen=True, slots=True)
class Engine:
    """One real engine, and what is needed to read its tokens."""

    url: str
    block_size: int  # tokens
    vocabulary: Vocabulary

    def hashes_of(self, token_ids: list[int], pictures: list[str]) -> list[int]:
        """The chain of these tokens; `pictures`: names of the images, in order."""
        starts = [
            at
            for at, each in enumerate(token_ids)
            if each in self.vocabulary.image_ids
            and (at == 0 or token_ids[at - 1] not in self.vocabulary.image_ids - {self.vocabulary.image_end})
        ]
        keys: list[list[Any] | None] = [[[name, start] for name, start in zip(pictures, starts, strict=False)]]
        whole = BlockStored([1], None, token_ids, len(token_ids), extra_keys=keys)
        return EngineBlocks(self.vocabulary, ReplicaCache(1)).apply(whole).gained


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    deployment = {
        "engine": {"num_gpu_blocks_override": BLOCKS},
        "environment": {"VLLM_SERVER_DEV_MODE": "1"},
    }
    with engines(tmp_path_factory.mktemp("kv_events"), deployment) as run:
        (url,) = Cluster.of(run.wait_for("ready", START_S)).replicas().values()
        found = re.search(r'vllm:cache_config_info\{.*?\bblock_size="(\d+)"', httpx.get(url + "/metrics").text)
        assert found is not None
        yield Engine(url, int(found[1]), parse_vocabulary(TEKKEN.read_bytes()))


class Listener:
    """A router's index of that engine, and a client of the engine."""

    def __init__(
        self,
        engine: Engine,
        index: PrefixIndex,
        events: KVEvents,
        http: httpx.AsyncClient,
        session: aiohttp.ClientSession,
    ) -> None:
        self.engine = engine
        self._session = session
        self.index = index
        self.events = events
        self._http = http

    async def ask(self, request: Request, **more: Any) -> dict[str, Any]:
        """What the router would send, at its destination."""
        body = json.loads(request.upstream_body(POOL, generation_id="gen-1")) | {"temperature": 0, **more}
        del body["request_id"]
        return await self.post("/v1/chat/completions", body)

    async def post(self, path: str, body: object = None) -> dict[str, Any]:
        response = await self._http.post(path, json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    async def settled(self) -> None:
        """Return when all that the engine has published is in the index."""
        source = await ask_source(self._session, Endpoint(ID, self.engine.url), timeout_s=10)
        assert source is not None
        with zmq.asyncio.Context() as context:
            replay = Feed(context, source, KVEventsSettings()).replay(0)
            last = max([message.number async for message in replay], default=-1)
        ((_, follower),) = self.events.followers()
        await until(lambda: follower.batches > last, "some events did not come")

    def depth(self, request: Request) -> int:
        """Leading blocks that the index says the engine holds."""
        return self.index.depths(request.call.prefix.hashes).get(ID, 0)

    async def agrees(self, request: Request) -> int:
        """Assert that the index and the engine say the same of a prompt. Returns the cached tokens."""
        pictures = names_of(request)
        await self.settled()
        believed = self.depth(request)
        answer = await self.ask(request, max_tokens=1, return_token_ids=True)
        cached: int = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
        token_ids: list[int] = answer["prompt_token_ids"]
        hashes = request.call.prefix.hashes
        assert self.engine.hashes_of(token_ids, pictures) == list(hashes)
        # A prompt's last block of tokens may be in the cache, filled with the answer, but is never called cached.
        for_sure = len(self.engine.hashes_of(token_ids[:cached], pictures))
        at_most = len(self.engine.hashes_of(token_ids[: cached + self.engine.block_size], pictures))
        assert for_sure <= believed <= at_most, (cached, len(token_ids))
        return cached


@asynccontextmanager
async def listening(engine: Engine) -> AsyncIterator[Listener]:
    directory, index = Directory(clock=lambda: 0.0), PrefixIndex(PrefixSettings())
    directory.replace("p", [Endpoint(ID, engine.url)])
    async with (
        open_session(keepalive_s=3.0) as session,
        httpx.AsyncClient(base_url=engine.url, timeout=120) as http,
    ):
        events = KVEvents(
            session=session,
            directory=directory,
            index=index,
            vocabulary=lambda endpoint: engine.vocabulary,
            settings=KVEventsSettings(quiet_s=1.0),
        )
        task = asyncio.create_task(events.run())
        try:
            await until(lambda: any(follower.is_exact for _, follower in events.followers()), "not exact")
            yield Listener(engine, index, events, http, session)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(found: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(30):
            for _ in iter(found, True):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(what) from None


def chat(*messages: dict[str, Any], **more: Any) -> Request:
    return parse_chat(json.dumps({"model": MODEL, "messages": messages, **more}).encode(), Limits())


def words(seed: int, count: int) -> str:
    return " ".join(Random(seed).choices(WORDS, k=count))


def picture(seed: int) -> dict[str, Any]:
    scene = Scene(colour="red", shape="star", count=3, spot="", width=168, height=112)
    return {"type": "image_url", "image_url": {"url": data_url(draw(scene, Random(seed)).resize((420, 420)))}}


def names_of(request: Request) -> list[str]:
    """The images in the engine's body, as the router names them."""
    return re.findall(r'"uuid":"(\w+)"', request.upstream_body(POOL, generation_id="g").decode())


def conversation() -> Request:
    """Text and two images, the same one again later."""
    return chat(
        {"role": "system", "content": words(1, 150)},
        {"role": "user", "content": [picture(1), {"type": "text", "text": words(2, 80)}]},
        {"role": "assistant", "content": "There are 3 red stars. " + words(3, 60)},
        {"role": "user", "content": [{"type": "text", "text": words(4, 90)}, picture(2), picture(1)]},
    )


def test_a_conversation_with_images_is_held_as_far_as_the_engine_calls_it_cached(engine: Engine) -> None:
    async def main() -> None:
        async with listening(engine) as router:
            request = conversation()
            assert 3 == len(names_of(request))
            assert 0 == router.depth(request)
            await router.ask(request, max_tokens=8)
            assert await router.agrees(request) > 0.8 * request.call.image_tokens
            other = chat({"role": "system", "content": words(1, 150)}, {"role": "user", "content": "Hello."})
            await router.agrees(other)

    asyncio.run(main())


def test_who_comes_later_knows_the_same(engine: Engine) -> None:
    async def main() -> None:
        async with listening(engine) as router:
            assert await router.agrees(conversation()) > 0

    asyncio.run(main())


def test_tools_and_their_calls_are_the_same_chain(engine: Engine) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string", "description": words(5, 40)}}}
    tool = {"type": "function", "function": {"name": "look", "description": words(6, 40), "parameters": parameters}}
    call = {"id": "abcdefgh1", "type": "function", "function": {"name": "look", "arguments": '{"city": "Oslo"}'}}

    async def main() -> None:
        async with listening(engine) as router:
            request = chat(
                {"role": "user", "content": words(7, 40)},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "abcdefgh1", "content": words(8, 120)},
                tools=[tool],
            )
            await router.agrees(request)
            assert await router.agrees(request) > 0

    asyncio.run(main())


def test_prompts_that_push_each_other_out_are_held_exactly_where_they_are(engine: Engine) -> None:
    async def main() -> None:
        async with listening(engine) as router:
            share = words(9, 200)
            prompts = [
                chat({"role": "system", "content": share}, {"role": "user", "content": words(100 + seed, 300)})
                for seed in range(40)
            ]
            await asyncio.gather(*(router.ask(each, max_tokens=20) for each in prompts[:8]))  # with copies of blocks
            for each in prompts[8:]:
                await router.ask(each, max_tokens=20)
            await router.settled()
            depths = [router.depth(each) for each in prompts]
            assert min(depths) < max(depths)  # some were pushed out in part or whole
            for each in reversed(prompts):
                await router.agrees(each)
            ((_, follower),) = router.events.followers()
            assert (0, 0) == (follower.lost_total, follower.blocks.cache.missed_total)
            assert 0 < len(follower.blocks.cache) <= BLOCKS

    asyncio.run(main())


def test_an_emptied_cache_is_known_to_be_empty(engine: Engine) -> None:
    async def main() -> None:
        async with listening(engine) as router:
            request = conversation()
            await router.ask(request, max_tokens=1)
            await router.settled()
            assert 0 < router.depth(request)
            await router.post("/reset_prefix_cache")
            await router.ask(chat({"role": "user", "content": "Hi."}), max_tokens=1)  # events come with a step
            await router.settled()
            assert 0 == router.depth(request)
            assert 0 == await router.agrees(request)

    asyncio.run(main())
