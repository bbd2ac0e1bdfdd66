"""A real Prometheus, real routers with everything that has series: names, health, and quiet when all is well."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import trustme

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.certificates import put
from tests.chaos.stack import CHAT, KEY, MODEL, Router, bearer, configuration, routers
from tests.deploy.prometheus import Prometheus, prometheus
from tests.deploy.promql import RULES, exported, named, rules
from tests.integration.conftest import until
from tests.integration.test_routing import two_ports

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.05)
RECORDED_WHEN_WELL = {
    "count(up == 1)": 4.0,
    "count(tramontane:router_event_loop:utilisation)": 2.0,
    "tramontane:availability_errors:ratio_rate5m": 0.0,
    "tramontane:pool_demand:requests": 0.0,
    "count(tramontane:ttft_late:ratio_rate5m)": 1.0,
    "count(tramontane:prefix_cache_hits:ratio_rate30m)": 1.0,
}

# Two routers on one machine need ports and files of their own, so their configurations differ; on a cluster none may.
RIGHTLY_PENDING = {"TramontaneConfigDiffers"}


def whole_router(
    directory: Path, number: int, engines: list[str], ports: tuple[int, int], **sections: Any
) -> dict[str, Any]:
    """A configuration with everything that has series: a database, stored answers, a mesh; certificates are besides."""
    gossip = {"listen": f"127.0.0.1:{ports[number]}", "peers": [f"127.0.0.1:{port}" for port in ports]}
    return configuration(
        f"sqlite:///{directory}/accounts-{number}.db",
        directory / f"spool-{number}",
        engines,
        mesh={"secret": {"value": "a secret of the mesh"}, "gossip": gossip},
        responses={"store": True},
        **sections,
    )


async def ask(router: Router) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4, "stream": True}
    async with (
        aiohttp.ClientSession(headers=bearer(KEY)) as session,
        session.post(router.url + CHAT, json=body) as response,
    ):
        assert 200 == response.status, await response.text()
        await response.read()


def test_every_name_in_rules_dashboards_and_runbook_is_exported_by_a_real_router(tmp_path: Path) -> None:
    """But for the engines', which tests/e2e/test_dashboards.py looks for in a real engine."""

    async def main() -> None:
        ports, tls = two_ports(), {"listen": {"port": 0, "tls": put(tmp_path, trustme.CA())}}
        async with (
            fleet(SETTINGS, 1, Place()) as engines,
            routers(tmp_path, 1, lambda number: whole_router(tmp_path, number, engines.urls, ports, **tls)) as running,
        ):
            page = await metrics_of(running[0])
        ours = {name for name in named() if not name.startswith(("vllm:", "tramontane:"))}
        assert set() == ours - exported(page)

    asyncio.run(main())


def test_a_real_prometheus_evaluates_every_rule_and_no_alert_is_even_pending_while_all_is_well(tmp_path: Path) -> None:
    async def main() -> None:
        ports = two_ports()
        async with (
            fleet(SETTINGS, 2, Place()) as engines,
            routers(tmp_path, 2, lambda number: whole_router(tmp_path, number, engines.urls, ports)) as running,
        ):
            scraped = {"anything": [router.url for router in running], "whatever": engines.urls}
            targets = {job: [url.removeprefix("http://") for url in urls] for job, urls in scraped.items()}
            async with prometheus(tmp_path, targets, RULES) as watching:
                await is_well(watching, running)

    asyncio.run(main())


async def is_well(prometheus: Prometheus, running: list[Router]) -> None:
    """Every rule is evaluated without an error; what can be recorded is; nothing fires or is about to."""

    async def has_all() -> bool:
        await asyncio.gather(*(ask(router) for router in running))  # so that there are rates
        values = [await prometheus.value(expr) for expr in RECORDED_WHEN_WELL]
        return values == [*RECORDED_WHEN_WELL.values()]

    async def restless() -> set[str]:
        return {rule["name"] for rule in await prometheus.rules() if rule.get("state", "inactive") != "inactive"}

    async def is_quiet() -> bool:
        return await restless() == RIGHTLY_PENDING

    await until(has_all)
    try:
        await until(is_quiet)  # at the very start no router had been scraped
    except TimeoutError:
        raise AssertionError(await restless()) from None
    last = max(rule["lastEvaluation"] for rule in await prometheus.rules())

    async def is_evaluated_again() -> bool:
        return all(rule["lastEvaluation"] > last for rule in await prometheus.rules())

    await until(is_evaluated_again)
    found = await prometheus.rules()
    assert [] == [(rule["name"], rule["lastError"]) for rule in found if rule["health"] != "ok"]
    assert RIGHTLY_PENDING == await restless()
    assert len(rules()) == len(found)


async def metrics_of(router: Router) -> str:
    async with aiohttp.ClientSession() as session, session.get(router.url + "/metrics", ssl=False) as response:
        return await response.text()
