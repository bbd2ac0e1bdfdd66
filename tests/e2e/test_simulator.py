"""The simulated engine against the real one: the same requests, the same counts of tokens, cache hits and order.

Not the same speed, and not the same words. What must not depend on the words is asked with `ignore_eos`.
"""

import asyncio
import base64
import io
import json
import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest
import zmq
from PIL import Image

from bench.physics.engine import EngineSettings
from bench.simulator.fleet import Place
from bench.simulator.fleet import fleet as simulated_fleet
from bench.simulator.settings import SimulatorSettings
from serving.profiles.pocket import WEIGHTS
from tests.e2e.fleet import Fleet

CHAT = "/v1/chat/completions"
CONTEXT = 4096
BLOCK = 128  # tokens; vLLM's on CPU


@dataclass(frozen=True, slots=True)
class Both:
    """The real engine and its simulation."""

    real: str
    simulated: str
    model: str

    def post(self, path: str, **fields: Any) -> tuple[httpx.Response, httpx.Response]:
        body = {"model": self.model, "temperature": 0, **fields}
        real, simulated = (httpx.post(url + path, json=body, timeout=180) for url in (self.real, self.simulated))
        return real, simulated

    def usage(self, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Counts of a chat completion of both."""
        real, simulated = (_counts(answer) for answer in self.post(CHAT, ignore_eos=True, **fields))
        return real, simulated

    def get(self, path: str) -> tuple[httpx.Response, httpx.Response]:
        return httpx.get(self.real + path, timeout=30), httpx.get(self.simulated + path, timeout=30)


def _counts(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    usage = answer.json()["usage"]
    kinds = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {**{kind: usage[kind] for kind in kinds}, **usage["prompt_tokens_details"]}


@pytest.fixture(scope="module")
def both(fleet: Fleet) -> Iterator[Both]:
    """A simulation set up as the pocket model's CPU preset is."""
    settings = SimulatorSettings(
        model=fleet.model,
        time_scale=0.1,
        engine=EngineSettings(block_size=BLOCK, max_num_batched_tokens=2048, max_num_seqs=32),
        max_model_len=CONTEXT,
        tokenizer=WEIGHTS,
        kv_events=True,
    )
    ready, urls = threading.Event(), list[str]()
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        async with simulated_fleet(settings, 1, Place()) as engines:
            urls.extend(engines.urls)
            ready.set()
            await stopped.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield Both(fleet.engines()[0].url, urls[0], fleet.model)
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()


def words(rng: random.Random, count: int) -> str:
    return " ".join(
        rng.choice("the a red blue star moon tree house one two and or Zürich 日本 xylophone".split())
        for _ in range(count)
    )


def fresh() -> random.Random:
    """Texts that no engine has seen."""
    return random.Random(uuid.uuid4().int)


def picture(rng: random.Random, width: int, height: int, **more: Any) -> dict[str, Any]:
    image = Image.new("RGB", (width, height), tuple(rng.randrange(256) for _ in range(3)))  # type: ignore[arg-type]
    image.putpixel((0, 0), tuple(rng.randrange(256) for _ in range(3)))  # type: ignore[arg-type]
    file = io.BytesIO()
    image.save(file, "PNG")
    url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": url}, **more}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def test_conversations_that_share_their_beginnings_count_and_hit_alike(both: Both) -> None:
    rng = fresh()
    system = {"role": "system", "content": words(rng, 250)}
    chats = [[system, {"role": "user", "content": words(rng, 30 + 80 * number)}] for number in range(4)]
    real, simulated = [], []
    for turn in range(3):
        for number, messages in enumerate(chats):
            counts = both.usage(messages=messages, max_tokens=5 + 60 * ((turn + number) % 3))
            real.append(counts[0])
            simulated.append(counts[1])
            messages.append({"role": "assistant", "content": words(rng, 40)})
            messages.append({"role": "user", "content": words(rng, 50)})
    assert real == simulated
    assert sum(each["cached_tokens"] for each in real) > 2000


def test_prompts_that_end_with_a_block_hit_alike(both: Both) -> None:
    rng = fresh()
    said = [rng.randrange(1100, 2600) for _ in range(3 * BLOCK + 1)]
    for length in (BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK, 3 * BLOCK + 1):
        for _ in range(2):
            answers = both.post("/v1/completions", prompt=said[:length], max_tokens=3, ignore_eos=True)
            real, simulated = map(_counts, answers)
            assert real == simulated


def test_pictures_count_and_hit_alike(both: Both) -> None:
    rng = fresh()
    shown = [picture(rng, width, height) for width, height in ((200, 130), (28, 29), (400, 400), (1, 300))]
    named = picture(rng, 280, 280, uuid=uuid.uuid4().hex)
    asks: list[list[dict[str, Any]]] = [
        [shown[0], text("?")],
        [shown[0], text("?")],
        [shown[2], text("What is it?")],
        [shown[2], text("What is it?"), shown[1], text(words(rng, 40))],
        [shown[2], text("What is it?"), shown[1], text(words(rng, 200))],
        [shown[3], shown[2], text("And now?")],
        [text(words(rng, 90)), named, text("?")],
        [text(words(rng, 90)), named, text("?")],
        [picture(rng, 400, 400), text("What is it?")],
    ]
    counts = [both.usage(messages=[{"role": "user", "content": content}], max_tokens=2) for content in asks]
    assert [real for real, _ in counts] == [simulated for _, simulated in counts]
    assert sum(real["cached_tokens"] for real, _ in counts) > 250


def test_answers_end_in_the_same_order(both: Both) -> None:
    rng = fresh()
    lengths = [200, 40, 280, 120, 360]
    prompts = [words(rng, 20 + 10 * number) for number in range(len(lengths))]

    def order(url: str) -> list[int]:
        ended: list[int] = []

        def ask(number: int) -> None:
            messages = [{"role": "user", "content": prompts[number]}]
            body = {"model": both.model, "messages": messages, "max_tokens": lengths[number], "ignore_eos": True}
            assert httpx.post(url + CHAT, json=body, timeout=180).status_code == 200
            ended.append(lengths[number])

        with ThreadPoolExecutor(len(lengths)) as pool:
            list(pool.map(ask, range(len(lengths))))
        return ended

    assert order(both.real) == order(both.simulated) == sorted(lengths)


def test_errors_are_the_engines_own_words(both: Both) -> None:
    long = [{"role": "user", "content": words(fresh(), 3000)}]
    short = [{"role": "user", "content": "Hi"}]
    for fields in (
        {"messages": long, "max_tokens": 5},
        {"messages": long},
        {"messages": short, "max_tokens": CONTEXT - 2},
        {"messages": short, "max_tokens": CONTEXT + 1},
        {"messages": short, "max_completion_tokens": CONTEXT + 1},
        {"messages": short, "model": "nobody"},
        {"messages": short, "max_tokens": 0},
        {"messages": short, "n": 0},
    ):
        real, simulated = both.post(CHAT, **fields)
        assert (real.status_code, real.json()) == (simulated.status_code, simulated.json())
    real, simulated = both.post("/v1/completions", prompt=words(fresh(), 3000), max_tokens=2)
    assert (real.status_code, real.json()) == (simulated.status_code, simulated.json())


def shape(value: Any) -> Any:
    """The keys of a JSON value in their order, and the kinds of its values; of a list the first."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_answers_have_the_same_keys_in_the_same_order(both: Both) -> None:
    messages = [{"role": "user", "content": "Say lemon 12 times."}]
    content = [picture(fresh(), 60, 60), text("What is it?")]
    for path, fields in (
        (CHAT, {"messages": messages}),
        (CHAT, {"messages": [{"role": "user", "content": content}]}),
        (CHAT, {"messages": messages, "return_token_ids": True}),
        ("/v1/completions", {"prompt": "One two three"}),
        ("/v1/completions", {"prompt": "One two three", "return_token_ids": True}),
    ):
        real, simulated = both.post(path, max_tokens=4, ignore_eos=True, **fields)
        assert shape(real.json()) == shape(simulated.json())
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        shapes = []
        for answer in both.post(path, max_tokens=4, ignore_eos=True, **streamed, **fields):
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            events = answer.text.split("\n\n")
            assert ["data: [DONE]", ""] == events[-2:]
            shapes.append([shape(json.loads(event.removeprefix("data: "))) for event in events[:-2]])
        assert _without_twins(shapes[0]) == _without_twins(shapes[1])


def _without_twins(shapes: list[Any]) -> list[Any]:
    """Each kind of chunk once: tokens that come together share one."""
    return [each for number, each in enumerate(shapes) if not number or each != shapes[number - 1]]


def test_the_other_routes_agree(both: Both) -> None:
    content = [picture(fresh(), 100, 60, uuid="seen"), text("Which colour?")]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]
    real, simulated = (answer.json() for answer in both.post("/tokenize", messages=messages))
    assert real == simulated
    real, simulated = (answer.json() for answer in both.post("/tokenize", prompt="Ein Versuch, ça va?"))
    assert real == simulated
    real, simulated = (answer.json() for answer in both.post(CHAT + "/render", messages=messages))
    assert real["token_ids"] == simulated["token_ids"]
    (real_card, simulated_card) = (answer.json()["data"][0] for answer in both.get("/v1/models"))
    assert [(real_card[key]) for key in ("id", "object", "owned_by", "max_model_len")] == [
        simulated_card[key] for key in ("id", "object", "owned_by", "max_model_len")
    ]
    real_names, simulated_names = (
        {line.partition("{")[0] for line in answer.text.splitlines() if line.startswith("vllm:")}
        for answer in both.get("/metrics")
    )
    assert set() == simulated_names - real_names


def test_cache_events_agree(both: Both) -> None:
    rng = fresh()
    content = [text(words(rng, 120)), picture(rng, 280, 280, uuid=uuid.uuid4().hex), text(words(rng, 100))]
    asked = both.post(CHAT, messages=[{"role": "user", "content": content}], max_tokens=2, return_token_ids=True)
    ids = asked[0].json()["prompt_token_ids"]
    assert ids == asked[1].json()["prompt_token_ids"]
    real, simulated = (
        _stored(answer.json()[0]["replay_endpoint"], ids[:BLOCK]) for answer in both.get("/kv_event_sources")
    )
    assert len(ids) // BLOCK * BLOCK == len(simulated["token_ids"])
    for key in ("token_ids", "block_size", "parent_block_hash", "extra_keys", "medium", "lora_name", "lora_id"):
        assert real[key] == simulated[key], key
    assert len(real["block_hashes"]) == len(simulated["block_hashes"])
    assert {type(each) for each in real["block_hashes"]} == {type(each) for each in simulated["block_hashes"]}


def _stored(endpoint: str, first_ids: list[int]) -> dict[str, Any]:
    """The event of the blocks that begin so."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as replay:
        replay.linger, replay.rcvtimeo = 0, 10_000
        replay.connect(endpoint)
        replay.send_multipart([b"", (0).to_bytes(8, "big")])
        found: dict[str, Any] = {}
        while payload := replay.recv_multipart()[-1]:
            for event in msgspec.msgpack.decode(payload)[1]:
                if event["type"] == "BlockStored" and event["token_ids"][: len(first_ids)] == first_ids:
                    found = event
    return found
