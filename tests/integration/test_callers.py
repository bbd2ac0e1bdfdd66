"""Callers of every kind in front of a real router: tokens of an identity provider, tenants kept apart, spent rates."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.integration.conftest import MODEL, Engine, Router, StartRouter
from tests.router.protocol.tokens_by_hand import claims, jwk, key_set, rsa_key, token
from tests.router.upstream.identity_provider import provider

SETTINGS = SimulatorSettings(model="m", gpu="h100", time_scale=0.1)
LONG = "You are a patient teacher who explains everything from the beginning. " * 60
OTHER = "sk-or-v1-the-other-tenant"


def _lower(response: aiohttp.ClientResponse) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value) for name, value in response.headers.items())


async def ask(router: Router, key: str, text: str = "Hello?") -> tuple[int, Any, dict[str, str]]:
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 4})
    headers = {"Authorization": f"Bearer {key}"}
    async with router.session.post(router.url + "/api/v1/chat/completions", data=body, headers=headers) as response:
        return response.status, json.loads(await response.read()), dict(_lower(response))


async def status_of(router: Router, key: str) -> int:
    async with router.session.get(router.url + "/status", headers={"Authorization": f"Bearer {key}"}) as response:
        return response.status


def test_the_holder_of_an_identity_providers_token_is_a_caller(router: StartRouter) -> None:
    async def main() -> None:
        key, now = rsa_key(), int(time.time())
        async with provider() as issuer, fleet(SETTINGS, 1, Place()) as behind:
            issuer.keys = key_set(jwk(key))
            oidc = {"issuer": issuer.url, "audience": "tramontane", "rates": {"requests_per_min": 2}}
            async with router(*(each.listener for each in behind.replicas), oidc=oidc) as r:
                told = claims(iss=issuer.url, aud="tramontane", iat=now, exp=now + 60, nbf=now - 1)
                good = token(told, key).decode()
                assert 200 == (await ask(r, good))[0]
                forged = token(told, rsa_key("second")).decode()
                assert 401 == (await ask(r, forged))[0]
                assert 401 == (await ask(r, token(told | {"exp": now - 100}, key).decode()))[0]
                assert 200 == (await ask(r, good))[0]
                status, answer, headers = await ask(r, good)
                assert (429, "rate_limit_exceeded") == (status, answer["error"]["metadata"]["error_type"])
                assert ("2", "0") == (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"])
                assert int(headers["retry-after"]) >= 1
                assert 1 == await r.metric('tramontane_denied_total{reason="requests_per_minute"}')
                assert 0 < await r.metric('tramontane_cost_usd_total{key="oidc"')

    asyncio.run(main())


def test_what_one_tenant_asked_is_cached_for_no_other(router: StartRouter) -> None:
    async def main() -> None:
        keys = [{"name": "test", "secret": {"env": "TEST_KEY"}}, {"name": "other", "secret": {"value": OTHER}}]
        isolation = {"cache_salt": "key", "secret": {"value": "a secret of sixteen bytes"}}
        async with (
            fleet(SETTINGS, 1, Place()) as behind,
            router(*(each.listener for each in behind.replicas), keys=keys, isolation=isolation) as r,
        ):
            mine = r.session.headers["Authorization"].removeprefix("Bearer ")
            cached = []
            for key in (mine, OTHER, OTHER, mine):
                _, answer, _ = await ask(r, key, LONG)
                cached.append(answer["usage"]["prompt_tokens_details"]["cached_tokens"] > 0)
            assert [False, False, True, True] == cached

    asyncio.run(main())


def test_a_key_without_a_right_to_a_model_is_told_so_and_a_management_key_may_not_infer(router: StartRouter) -> None:
    async def main() -> None:
        keys = [
            {"name": "test", "secret": {"env": "TEST_KEY"}, "models": ["another/model"]},
            {"name": "admin", "secret": {"value": OTHER}, "management": True},
        ]
        async with Engine() as engine, router(engine, keys=keys) as r:
            mine = r.session.headers["Authorization"].removeprefix("Bearer ")
            status, answer, _ = await ask(r, mine)
            assert 404 == status
            assert "No models match your request and model restrictions" in answer["error"]["message"]
            assert 403 == (await ask(r, OTHER))[0]
            assert [403, 200] == [await status_of(r, key) for key in (mine, OTHER)]
            assert [] == engine.requests

    asyncio.run(main())
