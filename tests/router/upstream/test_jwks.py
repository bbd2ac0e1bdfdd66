import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from router.protocol.key_set import Signed
from router.upstream.jwks import Jwks, KeysAway, check_url
from router.upstream.session import open_session
from tests.router.protocol.tokens_by_hand import jwk, key_set, rsa_key
from tests.router.upstream.identity_provider import Provider, provider

OLD, NEW = Signed("RS256", "k1"), Signed("RS256", "k2")


class World:
    """A provider, its keys as a router has them, and a clock to move."""

    def __init__(self, issuer: Provider, jwks: Callable[["World"], Jwks]) -> None:
        self.now = 1_000.0
        self.issuer = issuer
        self.jwks = jwks(self)


@asynccontextmanager
async def world(is_running: bool = True, **settings: Any) -> AsyncIterator[World]:
    async with provider() as issuer, open_session(keepalive_s=5) as session:
        made = World(issuer, lambda w: Jwks(session, issuer.settings(**settings), clock=lambda: w.now))
        running = asyncio.create_task(made.jwks.run()) if is_running else None
        yield made
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_keys_are_found_where_the_discovery_document_says() -> None:
    async def test() -> None:
        async with world() as w:
            assert await w.jwks.find(OLD) is not None
            assert w.jwks.get(OLD) is not None
            assert w.issuer.asked == ["/.well-known/openid-configuration", "/keys"]

    run(test())


def test_an_address_that_is_given_needs_no_discovery() -> None:
    async def test() -> None:
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            jwks = Jwks(session, issuer.settings(jwks_url=issuer.url + "/mine"), clock=lambda: 0.0)
            await jwks.fetch()
            assert issuer.asked == ["/mine"]
            assert jwks.get(OLD) is not None

    run(test())


def test_a_new_key_is_fetched_when_a_token_names_it_but_not_as_often_as_tokens_name_nonsense() -> None:
    async def test() -> None:
        async with world() as w:
            await w.jwks.find(OLD)
            w.issuer.keys = key_set(jwk(rsa_key("second"), "k2"))
            for _ in range(100):
                assert await w.jwks.find(NEW) is None
            assert w.jwks.fetches == 1
            w.now += 10
            found = await asyncio.gather(*(w.jwks.find(NEW) for _ in range(100)))
            assert None not in found
            assert w.jwks.fetches == 2
            assert w.jwks.get(OLD) is None

    run(test())


def test_while_the_provider_is_away_its_keys_count_on_for_a_while() -> None:
    async def test() -> None:
        async with world(is_running=False) as w:
            await w.jwks.fetch()
            w.issuer.status = 500
            w.now += 86_400
            await w.jwks.fetch()
            assert w.jwks.failures == 1
            assert w.jwks.get(OLD) is not None
            w.now += 1
            assert w.jwks.get(OLD) is None
            with pytest.raises(KeysAway):
                await w.jwks.find(OLD)

    run(test())


def test_without_any_keys_nobody_can_be_told() -> None:
    async def test() -> None:
        async with world(is_running=False) as w:
            w.issuer.status = 503
            await w.jwks.fetch()
            with pytest.raises(KeysAway):
                await w.jwks.find(OLD)

    run(test())


def test_who_comes_while_keys_are_fetched_waits_for_them_and_may_leave() -> None:
    async def test() -> None:
        async with world() as w:
            w.issuer.let_go.clear()
            await w.issuer.arrived.wait()
            leaving, staying = (asyncio.create_task(w.jwks.find(OLD)) for _ in range(2))
            await asyncio.sleep(0)
            leaving.cancel()
            w.issuer.let_go.set()
            assert await staying is not None

    run(test())


def test_nobody_waits_when_it_ends() -> None:
    async def test() -> None:
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            jwks = Jwks(session, issuer.settings(), clock=lambda: 0.0)
            issuer.let_go.clear()
            running = asyncio.create_task(jwks.run())
            await issuer.arrived.wait()
            waiting = asyncio.create_task(jwks.find(OLD))
            await asyncio.sleep(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            with pytest.raises(KeysAway):
                await waiting

    run(test())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"issuer": "https://mallory.example"}, "discovery"),
        ({"jwks_uri": "http://keys.example/insecure"}, "discovery"),
        ({"jwks_uri": "file:///etc/passwd"}, "discovery"),
        ({"jwks_uri": 5}, "discovery"),
        (b"x" * 600_000, "keys"),
        (b"<html>", "keys"),
        (302, "status"),
    ],
)
def test_what_is_not_as_it_should_be_is_not_believed(changed: Any, field: str) -> None:
    async def test() -> None:
        async with world(is_running=False) as w:
            setattr(w.issuer, field, changed)
            await w.jwks.fetch()
            assert w.jwks.failures == 1
            assert w.jwks.get(OLD) is None
            assert "/elsewhere" not in w.issuer.asked

    run(test())


def test_a_provider_that_hangs_is_given_up() -> None:
    async def test() -> None:
        async with world(is_running=False, jwks_timeout_s=0.05) as w:
            w.issuer.let_go.clear()
            await w.jwks.fetch()
            assert w.jwks.failures == 1

    run(test())


def test_keys_come_over_https_or_from_this_machine() -> None:
    for good in ("https://a.example/keys", "http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost/"):
        check_url(good)
    for bad in ("http://a.example/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "//a.example/", "keys"):
        with pytest.raises(ValueError, match="https"):
            check_url(bad)
