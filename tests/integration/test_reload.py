"""A running router takes a changed configuration over: what it serves changes, and nobody notices the change itself."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import fault_behaviours as faults
from tests.faults import Exchange, FaultServer
from tests.integration.conftest import KEY, MODEL, Engine, Router, StartRouter, until
from tests.integration.test_media import media, naming
from tests.router.upstream import provider_world as world
from tests.router.upstream.media_world import Site, picture

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello?"}]}
QUICK: dict[str, Any] = {"reload": {"interval_s": 0.1, "settle_s": 0.02}}
ON_SIGNAL: dict[str, Any] = {"reload": {"interval_s": None}}
Change = Callable[[dict[str, Any]], object]


class File:
    """The configuration of the first router of a test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "router-1.yaml"

    def change(self, change: Change) -> None:
        """As editors do it: another file takes its place."""
        config = json.loads(self.path.read_text())
        change(config)
        self.write(json.dumps(config))

    def write(self, text: str) -> None:
        other = self.path.with_suffix(".new")
        other.write_text(text)
        other.replace(self.path)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


async def count_of(router: Router, outcome: str) -> float:
    return await router.metric(f'tramontane_config_reloads_total{{outcome="{outcome}"}}')


async def former_of(router: Router) -> float:
    return await router.metric("tramontane_config_former ")


async def waiting_of(router: Router, pool: str) -> float:
    return await router.metric(f'tramontane_queue_length{{pool="{pool}"')


async def until_taken(router: Router, times: int = 1) -> None:
    async def is_so() -> bool:
        return await count_of(router, "taken") >= times

    await until(is_so)


async def until_refused(router: Router, times: int = 1) -> None:
    async def is_so() -> bool:
        return await count_of(router, "refused") >= times

    await until(is_so)


def pool_of(config: dict[str, Any]) -> dict[str, Any]:
    pool: dict[str, Any] = config["models"][0]["pools"][0]
    return pool


def model(name: str, engine: Engine) -> dict[str, Any]:
    discovery = {"kind": "static", "endpoints": [engine.url]}
    pool = {"name": f"pool of {name}", "upstream_model": name, "discovery": discovery}
    return {"id": name, "context_length": 8192, "pools": [pool]}


def price_at(price: float, config: dict[str, Any]) -> None:
    pool_of(config)["price"]["prompt"] = price


async def until_said(response: aiohttp.ClientResponse, words: bytes) -> None:
    """Read a stream's events up to the one that has these; comments may come before it."""
    while words not in await response.content.readuntil(b"\n\n"):
        pass


def test_a_stream_goes_on_over_changes_and_even_when_its_pool_is_gone(router: StartRouter, file: File) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        slow = faults.slow_stream(faults.STREAM, go)
        async with Engine(slow) as old, Engine(faults.good_answer) as new, router(old, **QUICK) as r:
            go.put_nowait(None)
            body = json.dumps({"model": MODEL, "stream": True, **HELLO})
            async with r.session.post(r.url + "/api/v1/chat/completions", data=body) as response:
                await until_said(response, b"Hel")
                file.change(lambda config: config.update(models=[model("m/new", new)]))
                await until_taken(r)
                assert (await r.ask({**HELLO, "model": "m/new"}))[0] == 200
                status, answer = await r.ask(HELLO)
                assert (status, answer["error"]["code"]) == (400, 400)
                _, text = await r.get("/metrics")
                assert f'tramontane_endpoint_up{{endpoint="{old.url[7:]}"' not in text
                assert "tramontane_config_former 1.0" in text
                for _ in faults.STREAM[1:]:
                    go.put_nowait(None)
                rest = await response.read()
                assert b'"lo"' in rest
                assert rest.endswith(b"data: [DONE]\n\n")

            async def is_seen_off() -> bool:
                return await former_of(r) == 0

            await until(is_seen_off)

    asyncio.run(main())


def test_a_new_model_appears_in_the_catalogue_and_answers(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as one, Engine(faults.good_answer) as two, router(one, **QUICK) as r:
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 400
            file.change(lambda config: config["models"].append(model("m/two", two)))
            await until_taken(r)
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 200
            assert len(two.requests) == 1
            models = json.loads((await r.get("/api/v1/models"))[1])["data"]
            assert [each["id"] for each in models] == [MODEL, "m/two"]
            assert (await r.get("/readyz"))[0] == 200

    asyncio.run(main())


def test_a_changed_price_is_charged(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            _, before = await r.ask(HELLO)
            file.change(lambda config: pool_of(config)["price"].update(prompt=100.0, completion=100.0))
            await until_taken(r)
            _, after = await r.ask(HELLO)
            assert before["usage"]["cost"] == pytest.approx(1.6e-6)
            assert after["usage"]["cost"] == pytest.approx(1e-3)

    asyncio.run(main())


def test_a_new_key_works_and_a_removed_one_does_not(router: StartRouter, file: File, tmp_path: Path) -> None:
    async def main() -> None:
        secret = tmp_path / "key"
        secret.write_text("sk-or-v1-second\n")
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:

            async def status(key: str) -> int:
                body, headers = json.dumps({"model": MODEL, **HELLO}), {"Authorization": f"Bearer {key}"}
                url = r.url + "/api/v1/chat/completions"
                async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
                    return answer.status

            file.change(lambda config: config.update(keys=[{"name": "second", "secret": {"file": str(secret)}}]))
            await until_taken(r)
            assert [await status(KEY), await status("sk-or-v1-second")] == [401, 200]
            secret.write_text("sk-or-v1-third\n")  # rotated, without a change of the configuration
            await until_taken(r, 2)
            assert [await status("sk-or-v1-second"), await status("sk-or-v1-third")] == [401, 200]
            secret.unlink()
            await until_refused(r)
            assert await status("sk-or-v1-third") == 200
            secret.write_text("sk-or-v1-fourth\n")
            await until_taken(r, 3)
            assert [await status("sk-or-v1-third"), await status("sk-or-v1-fourth")] == [401, 200]

    asyncio.run(main())


def test_an_invalid_file_changes_nothing_and_is_told_of(router: StartRouter, file: File) -> None:
    nobody = '{"id": "m", "context_length": 1, "pools": []}'
    invalid = (
        "models: [",
        "",
        '{"allow_anonymous": true, "models": [], "xyz": 1}',
        f'{{"allow_anonymous": true, "models": [{nobody}]}}',
    )

    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            good = file.path.read_text()
            for number, text in enumerate(invalid, start=1):
                file.write(text)
                await until_refused(r, number)
                assert (await r.ask(HELLO))[0] == 200
                assert await r.metric("tramontane_config_last_reload_successful") == 0
            file.write(good)
            await until_taken(r)  # as it was: what is in force is the file again
            assert await r.metric("tramontane_config_last_reload_successful") == 1
            assert await count_of(r, "refused") == len(invalid)

    asyncio.run(main())


def test_a_file_that_is_written_slowly_is_taken_when_it_is_whole(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            config = json.loads(file.path.read_text())
            config["models"].append(model("m/two", engine))
            text = json.dumps(config)
            file.path.write_text(text[:100])  # in place, and not all of it
            await until_refused(r)
            with file.path.open("a") as half:
                half.write(text[100:])
            await until_taken(r)
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 200

    asyncio.run(main())


def test_sighup_looks_at_once_and_nothing_else_does_where_looks_are_off(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **ON_SIGNAL) as r:
            file.change(lambda config: config["models"].append(model("m/two", engine)))
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 400
            r.process.send_signal(signal.SIGHUP)
            await until_taken(r)
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 200

    asyncio.run(main())


def test_a_config_map_is_swapped_as_the_kubelet_does_it(router: StartRouter, file: File) -> None:
    async def main() -> None:
        folder = file.path.parent
        first, second, data = folder / "..2026_1", folder / "..2026_2", folder / "..data"
        first.mkdir()
        data.symlink_to(first.name)
        (first / "router.yaml").touch()
        file.path.symlink_to("..data/router.yaml")
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            config = json.loads(file.path.read_text())
            assert file.path.is_symlink()
            config["models"].append(model("m/two", engine))
            second.mkdir()
            (second / "router.yaml").write_text(json.dumps(config))
            stat = (first / "router.yaml").stat()
            os.utime(second / "router.yaml", ns=(stat.st_atime_ns, stat.st_mtime_ns))  # its time tells nothing
            (folder / "..data_tmp").symlink_to(second.name)
            (folder / "..data_tmp").replace(data)
            await until_taken(r)
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 200

    asyncio.run(main())


def test_a_section_that_cannot_change_is_named_and_the_rest_is_taken(router: StartRouter, file: File) -> None:
    async def main() -> None:
        management = {"name": "boss", "secret": {"value": "sk-or-v1-boss"}, "management": True}
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:

            def change(config: dict[str, Any]) -> None:
                config["models"].append(model("m/two", engine))
                config["keys"].append(management)
                config["breaker"] = {"open_s": 9.0}
                config["front"] = {"headers": 50}
                config["quotas"] = {"retry_s": 7.0}

            file.change(change)
            await until_taken(r)
            assert (await r.ask({**HELLO, "model": "m/two"}))[0] == 200
            assert await r.metric('tramontane_config_needs_restart{section="breaker"}') == 1
            assert await r.metric("tramontane_config_needs_restart") == 2
            headers = {"Authorization": "Bearer sk-or-v1-boss"}
            async with aiohttp.ClientSession() as s, s.get(r.url + "/status", headers=headers) as answer:
                told = (await answer.json())["config"]
            assert (told["needs_restart"], told["refused"]) == (["front", "breaker"], None)
            assert await r.metric(f'tramontane_config_info{{hash="{told["hash"]}"}}') == 1

    asyncio.run(main())


def test_many_changes_under_load_cost_no_request(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **ON_SIGNAL) as r:
            statuses: list[int] = []
            is_over = asyncio.Event()

            async def ask() -> None:
                while not is_over.is_set():
                    statuses.append((await r.ask(HELLO))[0])

            callers = [asyncio.create_task(ask()) for _ in range(4)]
            for number in range(5):
                price = float(number + 1)
                file.change(partial(price_at, price))
                r.process.send_signal(signal.SIGHUP)
                await until_taken(r, number + 1)
            is_over.set()
            await asyncio.gather(*callers)
            assert set(statuses) == {200}
            assert await r.metric("tramontane_requests_in_flight") == 0

            async def are_seen_off() -> bool:
                return await former_of(r) == 0

            await until(are_seen_off)

    asyncio.run(main())


def test_sigterm_while_a_configuration_is_taken_over_ends_the_router_in_order(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            file.change(lambda config: pool_of(config)["price"].update(prompt=1.0))
            r.process.send_signal(signal.SIGHUP)
            r.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(r.process.wait, 60) == 0

    asyncio.run(main())


def test_who_waits_for_a_pool_without_engines_is_served_when_a_change_gives_it_one(
    router: StartRouter, file: File
) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            nobody = {"kind": "ray", "dashboard": "http://127.0.0.1:9", "application": "none"}
            waiter = {**model("m/two", engine), "pools": [{**model("m/two", engine)["pools"][0], "discovery": nobody}]}
            file.change(lambda config: config["models"].append(waiter))
            await until_taken(r)
            asked = asyncio.create_task(r.ask({**HELLO, "model": "m/two"}))

            async def is_waiting() -> bool:
                return await waiting_of(r, "pool of m/two") == 1

            await until(is_waiting)
            file.change(lambda config: config["models"].__setitem__(1, model("m/two", engine)))
            await until_taken(r, 2)
            assert (await asked)[0] == 200
            assert json.loads(engine.requests[0].body)["model"] == "m/two"

    asyncio.run(main())


def test_a_pool_that_asks_for_another_model_is_another_pool(router: StartRouter, file: File) -> None:
    """Who waits under the former configuration never asks the new engines for what they do not have."""

    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        slow = faults.slow_stream(faults.STREAM, go)
        async with Engine(slow) as old, Engine(faults.good_answer) as new, router(old, **QUICK) as r:
            body = json.dumps({"model": MODEL, "stream": True, **HELLO})
            asked = asyncio.create_task(r.session.post(r.url + "/api/v1/chat/completions", data=body))

            async def is_there() -> bool:
                return len(old.requests) == 1

            await until(is_there)
            discovery = {"kind": "static", "endpoints": [new.url]}
            file.change(lambda config: pool_of(config).update(upstream_model="other", discovery=discovery))
            await until_taken(r)
            assert (await r.ask(HELLO))[0] == 200
            assert json.loads(new.requests[0].body)["model"] == "other"
            for _ in faults.STREAM:
                go.put_nowait(None)
            async with await asked as response:
                assert (await response.read()).endswith(b"data: [DONE]\n\n")
            assert len(new.requests) == 1

    asyncio.run(main())


def test_a_batch_goes_on_over_changes(router: StartRouter, file: File, tmp_path: Path) -> None:
    async def main() -> None:
        books = {
            "database": {"url": {"value": f"sqlite:///{tmp_path}/router.db"}},
            "ledger": {"spool": {"directory": str(tmp_path / "spool")}},
            "batches": {"poll_s": 0.05, "lease_s": 60.0},
        }
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK, **books) as r:
            asked = [{"custom_id": f"r-{n}", "body": {**HELLO, "max_tokens": 4}} for n in range(12)]
            body = {"endpoint": "/v1/chat/completions", "model": MODEL, "requests": asked, "completion_window": "24h"}
            status, batch = await r.ask(json.dumps(body).encode(), "/api/v1/batches")
            assert status == 202
            for number in range(3):
                file.change(partial(price_at, float(number + 1)))
                await until_taken(r, number + 1)

            async def is_over() -> bool:
                return bool(json.loads((await r.get(f"/api/v1/batches/{batch['id']}"))[1])["status"] == "completed")

            await until(is_over)
            told = json.loads((await r.get(f"/api/v1/batches/{batch['id']}"))[1])
            assert (told["request_counts"]["completed"], told["request_counts"]["failed"]) == (12, 0)

    asyncio.run(main())


def test_a_rotated_key_of_a_provider_is_used_at_once_and_cuts_no_stream(
    router: StartRouter, file: File, tmp_path: Path
) -> None:
    async def main() -> None:
        go: asyncio.Queue[None] = asyncio.Queue()
        key = tmp_path / "provider.key"
        key.write_text("first-key")
        behaviours = [world.in_steps(world.OPENAI_STREAM, go), faults.whole(200, world.OPENAI_ANSWER)]
        async with FaultServer(*behaviours) as theirs:
            provider = {"slug": "acme", "url": theirs.url + "/v1", "key": {"file": str(key)}, "insecure": True}
            pool = {"name": "abroad", "provider": "acme", "upstream_model": "theirs"}
            models = [{"id": MODEL, "context_length": 8192, "pools": [pool]}]
            async with router(providers=[provider], models=models, **QUICK) as r:
                for _ in world.OPENAI_STREAM[:-1]:
                    go.put_nowait(None)
                body = json.dumps({"model": MODEL, "stream": True, **HELLO})
                async with r.session.post(r.url + "/api/v1/chat/completions", data=body) as response:
                    await until_said(response, b"Hel")
                    key.write_text("second-key")
                    await until_taken(r)
                    assert (await r.ask(HELLO))[0] == 200
                    assert await r.metric("tramontane_provider_requests") == 1  # of both keys together
                    go.put_nowait(None)
                    assert (await response.read()).endswith(b"data: [DONE]\n\n")
            keys = [each.headers["authorization"] for each in theirs.requests]
            assert keys == ["Bearer first-key", "Bearer second-key"]

    asyncio.run(main())


def test_a_bound_counts_from_the_next_request_on(router: StartRouter, file: File) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine, **QUICK) as r:
            file.change(lambda config: config.update(room={"requests": 0}))
            await until_taken(r)
            assert (await r.ask(HELLO))[0] == 503
            file.change(lambda config: config.pop("room"))
            await until_taken(r, 2)
            assert (await r.ask(HELLO))[0] == 200

    asyncio.run(main())


def test_a_picture_that_is_being_fetched_arrives_although_fetching_is_switched_off(
    router: StartRouter, file: File
) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def late(exchange: Exchange) -> None:
            await go.wait()
            await picture()(exchange)

        async with (
            Engine(faults.good_answer) as engine,
            Site({"/a.png": late}) as site,
            router(engine, media=media(site.port), **QUICK) as r,
        ):
            asked = naming(f"{site.url}/a.png")
            under_way = asyncio.create_task(r.ask(asked))

            async def is_asked_for() -> bool:
                return len(site.requests) == 1

            await until(is_asked_for)
            file.change(lambda config: config.pop("media"))
            await until_taken(r)
            assert (await r.ask(asked))[0] == 400
            go.set()
            assert (await under_way)[0] == 200

    asyncio.run(main())


def test_a_sighup_that_comes_before_the_router_serves_is_remembered(file: File) -> None:
    pool = {"name": "p", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:9"]}}
    models = [{"id": MODEL, "context_length": 8192, "pools": [pool]}]
    config = {"listen": {"port": 0}, "allow_anonymous": True, "models": models, **ON_SIGNAL}
    file.write(json.dumps(config))

    async def main() -> None:
        command = [sys.executable, "-m", "router", "--config", str(file.path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - as the fixture
        assert process.stdout is not None
        try:
            url = (await asyncio.to_thread(process.stdout.readline)).strip().removeprefix("listening on ")
            file.change(lambda config: config.update(retry={"max_attempts": 7}))
            process.send_signal(signal.SIGHUP)  # it listens, and does not serve yet
            async with aiohttp.ClientSession() as session:
                await until_taken(Router(process, url, session))
        finally:
            process.terminate()
            assert await asyncio.to_thread(process.wait, 60) == 0
            process.stdout.close()

    asyncio.run(main())
