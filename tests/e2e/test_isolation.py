"""Tenants on one real engine: none finds by timing what another has asked (CVE-2025-46570), each finds its own again.

What the router would send for two keys is sent to an engine, and its index follows the engine's own events.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from router.policy.call import Caller
from router.policy.key import Key
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import Request, parse_chat, parse_completion
from router.protocol.salt import IsolationSettings, Salts
from router.protocol.vocabulary import parse_vocabulary
from tests.e2e.engines import MODEL, START_S, Cluster, engines
from tests.e2e.test_kv_events import POOL, TEKKEN, Engine, Listener, listening, names_of, picture, words

BLOCK = 128  # tokens; vLLM's on CPU
SALTS = Salts(IsolationSettings("key"), b"a secret of sixteen bytes or more")
ANNE, BOB = Key("1", "anne"), Key("2", "bob")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engines(tmp_path_factory.mktemp("isolation"), {}) as run:
        (url,) = Cluster.of(run.wait_for("ready", START_S)).replicas().values()
        yield Engine(url, BLOCK, parse_vocabulary(TEKKEN.read_bytes()))


def conversation(key: Key | None) -> Request:
    """Long, and with a picture; the same of everybody."""
    content = [{"type": "text", "text": words(1, 300)}, picture(1), {"type": "text", "text": "How many?"}]
    raw = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": content}]}).encode()
    return parse_chat(raw, Limits(), caller=caller(key))


def prompt(key: Key | None) -> Request:
    raw = json.dumps({"model": MODEL, "prompt": words(2, 400)}).encode()
    return parse_completion(raw, Limits(), caller=caller(key))


def caller(key: Key | None) -> Caller:
    return Caller() if key is None else Caller(key.id, salt=SALTS.of(key))


async def cached(router: Listener, request: Request) -> int:
    """Tokens that the engine calls cached, having been asked for one more."""
    body = json.loads(request.upstream_body(POOL, generation_id="g")) | {"temperature": 0, "max_tokens": 1}
    del body["request_id"]
    answer = await router.post(request.kind.path, body)
    found: int = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
    return found


@pytest.mark.parametrize("ask", [conversation, prompt], ids=["chat", "completion"])
def test_what_one_tenant_has_asked_is_cached_for_no_other(engine: Engine, ask: Any) -> None:
    async def main() -> None:
        async with listening(engine) as router:
            nobody, anne, bob = ask(None), ask(ANNE), ask(BOB)
            depths = []
            for request in (nobody, anne, bob):
                assert 0 == router.depth(request)
                assert 0 == await cached(router, request)
                await router.settled()
                depths.append(router.depth(request))
            assert 3 <= min(depths) == max(depths)
            for request in (nobody, anne, bob):
                assert BLOCK <= await cached(router, request)
            ((_, follower),) = router.events.followers()
            assert (0, 0) == (follower.lost_total, follower.blocks.cache.missed_total)

    asyncio.run(main())


def test_what_the_index_says_of_a_tenants_cache_is_what_the_engine_says(engine: Engine) -> None:
    async def main() -> None:
        async with listening(engine) as router:
            carl = Key("3", "carl")
            first = conversation(carl)
            await cached(router, first)
            await router.settled()
            count = len(first.call.prefix.hashes)
            assert router.depth(first) >= count - 2  # what does not fill a block of the engine is not held
            assert 0 == router.depth(conversation(Key("4", "dora")))
            assert await cached(router, first) >= 3 * BLOCK

    asyncio.run(main())


def test_a_picture_has_another_name_for_every_tenant() -> None:
    """So that the engine's caches of prepared and encoded pictures do not tell either, which know no salt."""
    names = [names_of(conversation(key)) for key in (None, ANNE, BOB)]
    assert [1, 1, 1] == list(map(len, names))
    assert 3 == len({name for (name,) in names})


def test_a_salt_of_the_clients_own_is_refused_before_any_engine_sees_it(engine: Engine) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello."}], "cache_salt": SALTS.of(ANNE)}
    assert 200 == httpx.post(engine.url + "/v1/chat/completions", json=body, timeout=120).status_code
    with pytest.raises(ApiError, match="cache_salt: this field is not accepted"):
        parse_chat(json.dumps(body).encode(), Limits(), caller=caller(BOB))
