"""Models, what serves them and who, as callers see them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from router.protocol.endpoint_object import Standing
from router.protocol.engine_facts import EngineFacts
from tests.router.api.information_app import CALLER, MANAGER, READER, InformationApp, information_app
from tests.router.openrouter import assert_valid_answer

Test = Callable[[InformationApp], Awaitable[None]]


def with_app(tmp_path: Path, test: Test) -> None:
    async def run() -> None:
        async with information_app(f"sqlite:///{tmp_path}/router.db") as information:
            await test(information)

    asyncio.run(run())


async def get(app: InformationApp, path: str, secret: str | None = CALLER, status: int = 200) -> httpx.Response:
    async with app.client(secret) as client:
        answer = await client.get(path)
    assert status == answer.status_code, answer.text
    return answer


def ids(answer: httpx.Response) -> list[str]:
    return [model["id"] for model in answer.json()["data"]]


def test_every_answer_has_the_shape_of_the_document(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        app.world.performance.note("eyes-far", 0.0, ok=True, first_token_s=0.2, tokens_per_s=50.0)
        for path, asked in (
            ("/models", "/models"),
            ("/models/count", "/models/count"),
            ("/models/user", "/models/user"),
            ("/model/{author}/{slug}", "/model/a/eyes"),
            ("/models/{author}/{slug}/endpoints", "/models/a/eyes/endpoints"),
            ("/endpoints/zdr", "/endpoints/zdr"),
            ("/providers", "/providers"),
        ):
            assert_valid_answer(path, (await get(app, asked)).json(), open_enums=True)

    with_app(tmp_path, test)


def test_models_that_answer_in_text_are_listed_first_hand(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        listed = await get(app, "/models")
        assert (["a/eyes"], 1, {"next": None}) == (
            ids(listed), listed.json()["total_count"], listed.json()["links"],
        )  # fmt: skip
        assert ["a/eyes", "vectors"] == ids(await get(app, "/models?output_modalities=all"))
        assert 2 == (await get(app, "/models/count?output_modalities=all")).json()["data"]["count"]
        assert 1 == (await get(app, "/models/count")).json()["data"]["count"]
        assert "no-store" == listed.headers["cache-control"]

    with_app(tmp_path, test)


def test_pages_lead_to_the_next(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        first = await get(app, "/models?output_modalities=all&limit=1&q=")
        following = first.json()["links"]["next"]
        assert "/api/v1/models?output_modalities=all&q=&offset=1&limit=1" == following
        second = await get(app, following.removeprefix("/api/v1"))
        assert (["a/eyes"], ["vectors"]) == (ids(first), ids(second))
        assert (2, None) == (second.json()["total_count"], second.json()["links"]["next"])
        assert [] == ids(await get(app, "/models?offset=9"))

    with_app(tmp_path, test)


def test_a_wrong_parameter_is_named(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        for path in ("/models?sort=best", "/models/user?limit=0", "/models?min_price=x"):
            error = (await get(app, path, status=400)).json()["error"]
            assert error["metadata"]["field"] == path.partition("?")[2].partition("=")[0]

    with_app(tmp_path, test)


def test_a_feed_can_be_had_instead(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        feed = await get(app, "/models?use_rss=true")
        assert feed.headers["content-type"].startswith("application/rss+xml")
        assert b"<title>Eyes</title>" in feed.content

    with_app(tmp_path, test)


def test_a_key_sees_what_it_may_use_and_the_prices_that_hold_for_it(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        everybody = (await get(app, "/models", READER)).json()["data"]
        own = (await get(app, "/models/user?output_modalities=all", READER)).json()["data"]
        assert ("0.0000005", "0.0000001") == (everybody[0]["pricing"]["prompt"], own[0]["pricing"]["prompt"])
        assert ["a/eyes"] == [model["id"] for model in own]
        for secret in (CALLER, MANAGER):
            assert ["a/eyes", "vectors"] == ids(await get(app, "/models/user?output_modalities=all", secret))

    with_app(tmp_path, test)


@pytest.mark.parametrize(
    ("name", "pools"),
    [
        ("a/eyes", ["far/eu", "local"]),
        ("a/eyes:nitro", ["far/eu", "local"]),
        ("gpt-4o", ["far/eu", "local"]),
        ("~a/eyes-latest", ["far/eu", "local"]),
        ("vectors", ["local"]),
        ("vectors:free", ["local"]),
    ],
)
def test_a_model_is_found_by_any_of_its_names(tmp_path: Path, name: str, pools: list[str]) -> None:
    async def test(app: InformationApp) -> None:
        endpoints = (await get(app, f"/models/{name}/endpoints")).json()["data"]["endpoints"]
        assert pools == [endpoint["tag"] for endpoint in endpoints]
        assert (await get(app, f"/model/{name}")).json()["data"]["id"] in ("a/eyes", "vectors")

    with_app(tmp_path, test)


@pytest.mark.parametrize("name", ["a/nothing", "a/eyes:free", "a/eyes:wrong", "openrouter/auto", "a", "%00", "a%2Fb/c"])
def test_what_is_not_there_is_404_in_the_apis_shape(tmp_path: Path, name: str) -> None:
    async def test(app: InformationApp) -> None:
        for path in (f"/models/{name}/endpoints", f"/model/{name}", f"/parameters/{name}"):
            error = (await get(app, path, status=404)).json()["error"]
            assert (404, "not_found", "Model not found") == (
                error["code"], error["metadata"]["error_type"], error["message"],
            )  # fmt: skip

    with_app(tmp_path, test)


def test_endpoints_tell_what_was_measured_and_what_engines_say(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        world = app.world
        for _ in range(10):
            world.performance.note("eyes-local", 0.0, ok=True, first_token_s=0.2, tokens_per_s=50.0)
        world.standings["eyes-local"] = Standing(1, 2)
        world.engines["eyes-local"] = [EngineFacts("vllm", "0.29.0", 4_096)]
        far, local = (await get(app, "/models/a/eyes/endpoints")).json()["data"]["endpoints"]
        assert (-10, None, None) == (far["status"], far["latency_last_30m"], far["uptime_last_1d"])
        assert -1 == local["status"]
        assert 200 == pytest.approx(local["latency_last_30m"]["p50"], rel=0.05)
        assert 50 == pytest.approx(local["throughput_last_30m"]["p99"], rel=0.05)
        assert (100.0, 4_096) == (local["uptime_last_5m"], local["context_length"])
        assert ("vllm", "0.29.0", 4_096) == tuple(
            local["engine"][name] for name in ("name", "version", "max_model_len")
        )
        model = (await get(app, "/model/a/eyes")).json()["data"]
        assert (131_072, 131_072) == (model["context_length"], model["top_provider"]["context_length"])

    with_app(tmp_path, test)


def test_what_was_measured_is_worked_out_anew_every_few_seconds(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        async def uptime() -> float | None:
            endpoints = (await get(app, "/models/a/eyes/endpoints")).json()["data"]["endpoints"]
            found: float | None = endpoints[1]["uptime_last_5m"]
            return found

        assert await uptime() is None
        app.world.performance.note("eyes-local", 0.0, ok=True, first_token_s=None, tokens_per_s=None)
        assert await uptime() is None
        app.world.now = 5.0
        assert 100.0 == await uptime()

    with_app(tmp_path, test)


def test_the_shorter_context_counts(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        app.world.engines["embedder"] = [EngineFacts(max_model_len=9_999), EngineFacts(max_model_len=None)]
        assert 512 == (await get(app, "/model/vectors")).json()["data"]["context_length"]
        app.world.engines["embedder"].append(EngineFacts(max_model_len=256))
        assert 256 == (await get(app, "/model/vectors")).json()["data"]["context_length"]

    with_app(tmp_path, test)


def test_speed_orders_the_list(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        app.world.performance.note("embedder", 0.0, ok=True, first_token_s=0.1, tokens_per_s=None, tools_ok=True)
        path = "/models?output_modalities=all"
        assert ["vectors", "a/eyes"] == ids(await get(app, f"{path}&sort=latency-low-to-high"))
        assert ["a/eyes", "vectors"] == ids(await get(app, f"{path}&sort=throughput-high-to-low"))
        assert ["vectors"] == ids(await get(app, f"{path}&min_tool_success_rate=1"))

    with_app(tmp_path, test)


def test_endpoints_that_keep_nothing_are_listed(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        listed = (await get(app, "/endpoints/zdr")).json()["data"]
        assert [("a/eyes", "local"), ("vectors", "local")] == [(each["model_id"], each["tag"]) for each in listed]

    with_app(tmp_path, test)


def test_parameters_are_those_of_the_provider_asked_for(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        both = (await get(app, "/parameters/a/eyes")).json()["data"]
        assert {"model": "a/eyes", "supported_parameters": ["seed", "temperature", "tools"]} == both
        far = (await get(app, "/parameters/a/eyes?provider=far")).json()["data"]
        assert ["seed"] == far["supported_parameters"]
        await get(app, "/parameters/a/eyes?provider=nobody", status=404)

    with_app(tmp_path, test)


def test_providers_are_listed_with_what_is_known_of_them(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        far, local = (await get(app, "/providers")).json()["data"]
        assert ("Far", "far", "https://far.example/privacy") == (far["name"], far["slug"], far["privacy_policy_url"])
        assert ("local", None) == (local["slug"], local["privacy_policy_url"])

    with_app(tmp_path, test)


def test_nobody_sees_anything_without_a_key(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        for path in (
            "/models", "/models/user", "/models/count", "/model/a/eyes", "/models/a/eyes/endpoints",
            "/parameters/a/eyes", "/endpoints/zdr", "/providers", "/generation?id=gen-1", "/credits", "/activity",
        ):  # fmt: skip
            await get(app, path, None, status=401)

    with_app(tmp_path, test)
