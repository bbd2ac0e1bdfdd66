"""Our own engines first, and a provider that is not ours when they cannot: a router as a process, over real sockets."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer, refusing_port
from tests.integration.conftest import MODEL, Addressed, Engine, Router, StartRouter, until
from tests.router.upstream import provider_world as world
from tests.router.upstream.provider_world import KEY, Authority

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello?"}]}
METADATA = {"X-OpenRouter-Metadata": "enabled"}
PRICE = {"prompt": 1.0, "completion": 2.0}  # USD per million
COST = (7 * 1.0 + 2 * 2.0) / 1e6


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return world.authority(tmp_path_factory.mktemp("ca"))


class Nowhere:
    """An address where nobody listens."""

    def __init__(self, url: str) -> None:
        self.url = url


def local(name: str, engine: Addressed, **more: Any) -> dict[str, Any]:
    discovery = {"kind": "static", "endpoints": [engine.url]}
    return {"name": name, "upstream_model": "m", "price": {"prompt": 0.1}, "discovery": discovery, **more}


def burst(theirs: FaultServer, authority: Authority, tmp_path: Path, *ours: dict[str, Any], **more: Any) -> Any:
    """A configuration: pools of ours, then one of the provider."""
    (tmp_path / "provider.key").write_text(KEY)
    section = {
        "slug": "openrouter",
        "name": "OpenRouter",
        "url": theirs.url + "/api/v1",
        "key": {"file": str(tmp_path / "provider.key")},
        "ca_file": str(authority.ca_file),
        "headers": {"X-Title": "Ours"},
        **more,
    }
    pool = {"name": "burst", "provider": section["slug"], "upstream_model": "theirs", "price": PRICE}
    model = {"id": MODEL, "context_length": 8192, "pools": [*ours, pool]}
    return {"providers": [section], "models": [model]}


async def ask(r: Router, **fields: Any) -> tuple[int, Any]:
    body = json.dumps({"model": MODEL, **HELLO, **fields}).encode()
    async with r.session.post(r.url + "/api/v1/chat/completions", data=body, headers=METADATA) as response:
        return response.status, json.loads(await response.read())


async def stream(r: Router) -> list[Any]:
    body = json.dumps({"model": MODEL, "stream": True, **HELLO}).encode()
    async with r.session.post(r.url + "/api/v1/chat/completions", data=body, headers=METADATA) as response:
        assert 200 == response.status
        lines = (await response.read()).decode().split("\n\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def said(events: list[Any]) -> str:
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events)


def test_our_own_engines_are_asked_first(router: StartRouter, authority: Authority, tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Engine(faults.good_answer) as a,
            Engine(faults.good_answer) as b,
            FaultServer(faults.whole(200, world.OPENAI_ANSWER), tls=authority.server()) as theirs,
            router(**burst(theirs, authority, tmp_path, local("gpu-a", a), local("gpu-b", b))) as r,
        ):
            for _ in range(8):
                status, answer = await ask(r)
                assert (200, "local") == (status, answer["provider"])
            assert 8 == len(a.requests) + len(b.requests)
            assert [] == theirs.requests

    asyncio.run(main())


@pytest.mark.parametrize("trouble", ["dead", "full"])
def test_when_both_are_dead_or_full_the_provider_answers_and_nobody_notices(
    router: StartRouter, authority: Authority, tmp_path: Path, trouble: str
) -> None:
    async def main() -> None:
        behaviour = faults.overloaded if trouble == "full" else faults.reset_before_head
        answers = [faults.whole(200, world.OPENAI_ANSWER), faults.stream(world.OPENAI_STREAM)]
        async with (
            Engine(behaviour) as a,
            Engine(behaviour) as b,
            FaultServer(*answers, tls=authority.server()) as theirs,
            router(**burst(theirs, authority, tmp_path, local("gpu-a", a), local("gpu-b", b))) as r,
        ):
            status, answer = await ask(r)
            assert (200, "Hello", "OpenRouter") == (
                status,
                answer["choices"][0]["message"]["content"],
                answer["provider"],
            )
            assert COST == pytest.approx(answer["usage"]["cost"])
            providers = [each["provider"] for each in answer["openrouter_metadata"]["attempts"]]
            assert ["local", "local", "OpenRouter"] == providers
            events = await stream(r)
            assert "Hello" == said(events)
            assert COST == pytest.approx(events[-1]["usage"]["cost"])
            assert {MODEL} == {event["model"] for event in events}
            first, second = theirs.requests
            assert "/api/v1/chat/completions" == first.path
            assert {"model": "theirs", **HELLO} == json.loads(first.body)
            assert {"include_usage": True} == json.loads(second.body)["stream_options"]
            assert (f"Bearer {KEY}", "Ours") == (first.headers["authorization"], first.headers["x-title"])

    asyncio.run(main())


def test_the_provider_alone_makes_a_router_ready_and_shows_in_its_status(
    router: StartRouter, authority: Authority, tmp_path: Path
) -> None:
    async def main() -> None:
        with refusing_port() as nobody:
            async with (
                FaultServer(faults.whole(200, world.OPENAI_ANSWER), tls=authority.server()) as theirs,
                router(**burst(theirs, authority, tmp_path, local("gpu", Nowhere(nobody)))) as r,
            ):
                assert 200 == (await ask(r))[0]
                pools = {pool["name"]: pool for pool in json.loads((await r.get("/status"))[1])["pools"]}
                assert "unprobed" == pools["gpu"]["endpoints"][0]["state"]
                assert "closed" == pools["burst"]["endpoints"][0]["state"]
                assert "openrouter/theirs" == pools["burst"]["endpoints"][0]["id"]
                assert {"POST"} == {request.method for request in theirs.requests}  # and no probe

    asyncio.run(main())


def test_a_provider_that_limits_us_is_left_alone_and_our_engines_are_back(
    router: StartRouter, authority: Authority, tmp_path: Path
) -> None:
    async def main() -> None:
        answers: list[Behaviour] = [faults.internal_error, faults.good_answer]
        async with (
            Engine(*answers) as ours,
            FaultServer(world.error("slow down", 429, retry_after="30"), tls=authority.server()) as theirs,
            router(**burst(theirs, authority, tmp_path, local("gpu", ours))) as r,
        ):
            status, error = await ask(r)
            assert (429, "rate_limit_exceeded") == (status, error["error"]["metadata"]["error_type"])
            assert ("OpenRouter", "slow down") == (
                error["error"]["metadata"]["provider_name"],
                error["error"]["metadata"]["raw"],
            )
            for _ in range(3):
                assert (200, "local") == ((await ask(r))[0], (await ask(r))[1]["provider"])
            assert 1 == len(theirs.requests)

    asyncio.run(main())


def test_anthropics_messages_are_a_pool_like_any_other(
    router: StartRouter, authority: Authority, tmp_path: Path
) -> None:
    async def main() -> None:
        answers = [faults.stream(world.ANTHROPIC_STREAM), faults.whole(200, world.ANTHROPIC_ANSWER)]
        async with FaultServer(*answers, tls=authority.server()) as theirs:
            config = burst(theirs, authority, tmp_path, slug="anthropic", name="Anthropic", dialect="anthropic")
            async with router(**config) as r:
                events = await stream(r)
                assert ("Hello", "stop", "end_turn") == (
                    said(events),
                    events[-1]["choices"][0]["finish_reason"],
                    events[-1]["choices"][0]["native_finish_reason"],
                )
                assert COST == pytest.approx(events[-1]["usage"]["cost"])
                status, answer = await ask(r, tools=[{"type": "function", "function": {"name": "f"}}])
                assert (200, "Hello") == (status, answer["choices"][0]["message"]["content"])
                request = theirs.requests[1]
                assert ("/api/v1/messages", KEY) == (request.path, request.headers["x-api-key"])
                assert ["f"] == [tool["name"] for tool in json.loads(request.body)["tools"]]

    asyncio.run(main())


def test_what_no_provider_can_be_asked_never_leaves_the_house(
    router: StartRouter, authority: Authority, tmp_path: Path
) -> None:
    async def main() -> None:
        async with (
            Engine(faults.internal_error) as ours,
            FaultServer(faults.whole(200, world.OPENAI_ANSWER), tls=authority.server()) as theirs,
            router(**burst(theirs, authority, tmp_path, local("gpu", ours))) as r,
        ):
            status, _ = await ask(r, response_format={"type": "grammar", "grammar": 'root ::= "a"'})
            assert 502 == status
            assert [] == theirs.requests

    asyncio.run(main())


def test_another_tramontane_is_a_provider(router: StartRouter, authority: Authority, tmp_path: Path) -> None:
    async def main() -> None:
        async with Engine(faults.good_stream) as engine, router(engine) as inner:
            provider = {
                "slug": "sister",
                "url": inner.url + "/api/v1",
                "insecure": True,
                "key": {"value": "sk-or-v1-integration"},
            }
            pool = {"name": "sister", "provider": "sister", "upstream_model": MODEL, "price": PRICE}
            models = [{"id": "outer/model", "context_length": 8192, "pools": [pool]}]
            async with router(providers=[provider], models=models) as outer:
                body = json.dumps({"model": "outer/model", "stream": True, **HELLO}).encode()
                async with outer.session.post(outer.url + "/api/v1/chat/completions", data=body) as response:
                    lines = (await response.read()).decode().split("\n\n")
                events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
                assert ("Hello", {"outer/model"}) == (said(events), {event["model"] for event in events})
                assert (7 * 1.0 + 3 * 2.0) / 1e6 == pytest.approx(events[-1]["usage"]["cost"])

    asyncio.run(main())


def test_a_provider_that_was_given_up_comes_back_by_its_check(
    router: StartRouter, authority: Authority, tmp_path: Path
) -> None:
    async def main() -> None:
        answers = [faults.closed_before_head, faults.closed_before_head, faults.whole(200, b'{"data":[]}')]
        async with FaultServer(*answers, tls=authority.server()) as theirs:
            config = burst(theirs, authority, tmp_path, check="models")
            async with router(**config) as r:
                for _ in range(2):
                    assert 502 == (await ask(r))[0]

                async def is_back() -> bool:
                    (pool,) = json.loads((await r.get("/status"))[1])["pools"]
                    return bool(pool["endpoints"][0]["state"] == "closed")

                await until(is_back)
                assert [("POST", "GET")] == [(theirs.requests[1].method, theirs.requests[2].method)]

    asyncio.run(main())


def test_the_key_appears_nowhere(
    router: StartRouter, authority: Authority, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        answers = [
            world.error(f"Incorrect key provided: {KEY}", 401),
            faults.stream([world.chunk(f"{KEY}", "stop"), faults.DONE]),
            faults.whole(200, json.dumps({"error": {"code": 500, "message": KEY}}).encode()),
            faults.closed_before_head,
        ]
        seen = ""
        async with FaultServer(*answers, tls=authority.server()) as theirs:
            config = burst(theirs, authority, tmp_path)
            async with router(**config, log={"level": "debug", "access": True}) as r:
                seen += json.dumps(await ask(r))
                seen += json.dumps(await stream(r))
                seen += json.dumps(await ask(r))
                seen += json.dumps(await ask(r))
                for path in ("/metrics", "/status", "/api/v1/models"):
                    seen += (await r.get(path))[1]
            assert 5 == len(theirs.requests)  # the last on a kept connection, so once more on a fresh one
        told = capfd.readouterr()
        assert KEY not in seen + told.out + told.err
        assert "Incorrect key provided: <key>" in seen

    asyncio.run(main())
