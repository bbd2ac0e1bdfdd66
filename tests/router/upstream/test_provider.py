"""Providers that are not ours, over TLS and real sockets, good and bad."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.policy.catalog import Pool
from router.policy.outcome import Outcome, Phase, StreamBroken, Verdict
from router.upstream.foreign_reply import ForeignReply
from router.upstream.provider import Provider
from router.upstream.reply import Reply
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer
from tests.router.upstream import provider_world as world
from tests.router.upstream.provider_world import ANTHROPIC, BODY, KEY, OPENAI, Authority, attempt
from tests.router.upstream.support import Run, pass_time, soon

STREAMS = {OPENAI: world.OPENAI_STREAM, ANTHROPIC: world.ANTHROPIC_STREAM}
PATHS = {OPENAI: "/chat/completions", ANTHROPIC: "/messages"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return world.authority(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def served(
    authority: Authority, *behaviours: Behaviour, pool: Pool = OPENAI, name: str = "127.0.0.1", **settings: Any
) -> AsyncIterator[tuple[FaultServer, Provider]]:
    """A provider that behaves so behind a certificate of that name. Its clock stands still."""
    async with FaultServer(*behaviours, tls=authority.server(name)) as server:
        made = authority.settings(server.url + "/api/v1/", pool.slug, dialect=pool.dialect, **settings)
        async with Provider(made, clock=lambda: 100.0) as provider:
            yield server, provider


async def ask(provider: Provider, pool: Pool = OPENAI, *, stream: bool = False) -> Reply | ForeignReply:
    return await provider.send(attempt(provider, pool), PATHS[pool], BODY, stream=stream)


async def everything(reply: Reply | ForeignReply) -> bytes:
    """The body to its clean end."""
    told = reply.body
    while more := await reply.read():
        told += more
    return told


@pytest.mark.parametrize(
    ("pool", "answer"),
    [
        pytest.param(OPENAI, world.OPENAI_ANSWER, id="openai"),
        pytest.param(ANTHROPIC, world.ANTHROPIC_ANSWER, id="anthropic"),
    ],
)
def test_a_provider_answers_on_one_connection(run: Run, authority: Authority, pool: Pool, answer: bytes) -> None:
    async def main() -> None:
        behaviours = faults.stream(STREAMS[pool]), faults.whole(200, answer)
        async with served(authority, *behaviours, pool=pool) as (server, provider):
            reply = await ask(provider, pool, stream=True)
            stream = await everything(reply)
            reply.close()
            assert "Hello" == "".join(world.contents(stream))
            assert stream.endswith(b"data: [DONE]\n\n")
            whole = await ask(provider, pool)
            assert b'"content":"Hello"' in whole.body.replace(b": ", b":")
            assert (0, 2, 1) == (provider.allotment.under_way, len(server.requests), server.accepted)
            request = server.requests[0]
            assert ("POST", "/api/v1" + PATHS[pool], BODY) == (request.method, request.path, request.body)
            assert "x-request-disconnect-disabled" not in request.headers
            if pool is ANTHROPIC:
                assert (KEY, "2023-06-01") == (request.headers["x-api-key"], request.headers["anthropic-version"])
                assert "authorization" not in request.headers
            else:
                assert f"Bearer {KEY}" == request.headers["authorization"]

    run(main())


def test_a_provider_may_be_told_more_and_ask_who_we_are(run: Run, authority: Authority, tmp_path: Path) -> None:
    async def main() -> None:
        authority.ca.issue_cert("router").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "us.pem"))
        tls = authority.server(asks_for_one=True)
        async with FaultServer(faults.whole(200, world.OPENAI_ANSWER), tls=tls) as server:
            headers = {"X-Title": "Ours", "HTTP-Referer": "https://us.example"}
            us = authority.settings(server.url, headers=headers, certificate=tmp_path / "us.pem")
            async with Provider(us) as provider, Provider(authority.settings(server.url)) as nobody:
                assert Verdict.OK is (await ask(provider)).outcome.verdict
                assert Verdict.UNAVAILABLE is (await ask(nobody)).outcome.verdict
            sent = server.requests[0].headers
            assert ("Ours", "https://us.example") == (sent["x-title"], sent["http-referer"])
            assert 1 == len(server.requests)

    run(main())


def test_whoever_cannot_prove_to_be_the_provider_gets_no_key(run: Run, authority: Authority) -> None:
    async def main() -> None:
        async with served(authority, faults.good_answer, name="elsewhere") as (server, provider):
            reply = await ask(provider)
            assert Outcome(Verdict.UNAVAILABLE, detail="the TLS certificate is not valid") == reply.outcome
            assert [] == server.requests

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (world.error("no", 400), Outcome(Verdict.REJECTED, 400, "no")),
        (world.error(f"key {KEY} is wrong", 401), Outcome(Verdict.UNAVAILABLE, 401, "key <key> is wrong")),
        (world.error("pay", 402), Outcome(Verdict.UNAVAILABLE, 402, "pay")),
        (world.error("slow down", 429, retry_after="7"), Outcome(Verdict.RATE_LIMITED, 429, "slow down", 7.0)),
        (world.error("busy", 529), Outcome(Verdict.OVERLOADED, 529, "busy")),
        (world.error("late", 524), Outcome(Verdict.TIMEOUT, 524, "late")),
        (world.error("", 500), Outcome(Verdict.UNAVAILABLE, 500, "HTTP 500")),
        (
            faults.whole(302, b"", location="https://elsewhere.example"),
            Outcome(Verdict.UNAVAILABLE, 302, "HTTP 302"),
        ),
        (
            faults.whole(200, b'{"error":{"code":429,"message":"slow down"}}'),
            Outcome(Verdict.RATE_LIMITED, 429, "slow down"),
        ),
        (
            faults.whole(200, b"<html>", "text/html"),
            Outcome(Verdict.UNAVAILABLE, 200, "the answer is not application/json"),
        ),
        (
            faults.whole(200, b"{}", content_encoding="gzip"),
            Outcome(Verdict.UNAVAILABLE, 200, "the answer is compressed, which was not asked for"),
        ),
        (faults.closed_before_head, Outcome(Verdict.UNAVAILABLE, detail="the connection was closed without an answer")),
    ],
)
def test_refusals_say_whose_fault_they_are_and_never_the_key(
    run: Run, authority: Authority, behaviour: Behaviour, outcome: Outcome
) -> None:
    async def main() -> None:
        async with served(authority, behaviour) as (server, provider):
            reply = await ask(provider)
            assert outcome == reply.outcome
            assert KEY.encode() not in reply.body
            assert (0, 1) == (provider.allotment.under_way, len(server.requests))

    run(main())


@pytest.mark.parametrize(
    ("pool", "behaviour", "outcome"),
    [
        (
            OPENAI,
            faults.whole(200, b'{"error":{"code":"overloaded_error","message":"busy"}}'),
            Outcome(Verdict.OVERLOADED, 529, "busy"),
        ),
        (OPENAI, faults.stream([world.COMMENT]), Outcome(Verdict.UNAVAILABLE, 200, "the stream was empty")),
        (
            ANTHROPIC,
            faults.stream(world.ANTHROPIC_STREAM[:2]),
            Outcome(Verdict.UNAVAILABLE, 200, "the stream was empty"),
        ),
        (
            ANTHROPIC,
            world.cut_off(world.ANTHROPIC_STREAM[:2]),
            Outcome(Verdict.UNAVAILABLE, 200, "the answer was cut off"),
        ),
    ],
)
def test_a_stream_without_a_first_token_is_no_answer(
    run: Run, authority: Authority, pool: Pool, behaviour: Behaviour, outcome: Outcome
) -> None:
    async def main() -> None:
        async with served(authority, behaviour, pool=pool) as (_, provider):
            assert outcome == (await ask(provider, pool, stream=True)).outcome
            assert 0 == provider.allotment.under_way

    run(main())


def test_what_is_no_message_of_anthropics_is_no_answer(run: Run, authority: Authority) -> None:
    async def main() -> None:
        async with served(authority, faults.whole(200, b'{"content":3}'), pool=ANTHROPIC) as (_, provider):
            outcome = (await ask(provider, ANTHROPIC)).outcome
            assert (Verdict.UNAVAILABLE, 200) == (outcome.verdict, outcome.status)
            assert outcome.detail.startswith("not a message: ")

    run(main())


@pytest.mark.parametrize("pool", [OPENAI, ANTHROPIC])
def test_a_stream_that_is_cut_off_is_broken_and_its_place_free(run: Run, authority: Authority, pool: Pool) -> None:
    async def main() -> None:
        async with served(authority, world.cut_off(STREAMS[pool][:4]), pool=pool) as (_, provider):
            reply = await ask(provider, pool, stream=True)
            assert 1 == provider.allotment.under_way
            with pytest.raises(StreamBroken, match="cut off"):
                await everything(reply)
            reply.close()
            reply.close()
            assert 0 == provider.allotment.under_way

    run(main())


def test_events_that_say_nothing_are_no_first_token(run_in_time: Run, authority: Authority) -> None:
    async def main() -> None:
        sent = asyncio.Event()

        async def behaviour(exchange: Exchange) -> None:
            exchange.send(faults.STREAM_HEAD + faults.chunk(world.ANTHROPIC_STREAM[0]))
            sent.set()
            await exchange.gone.wait()

        async with served(authority, behaviour, pool=ANTHROPIC) as (_, provider):
            late = attempt(provider, ANTHROPIC, replace(world.LIMITS, first_token_s=25))
            sending = asyncio.create_task(provider.send(late, "/messages", BODY, stream=True))
            await soon(sent.wait())
            for _ in range(50):  # of the event loop, in which it arrives
                await asyncio.sleep(0)
            await pass_time(26)
            outcome = (await soon(sending)).outcome
            assert (Verdict.TIMEOUT, Phase.FIRST_TOKEN) == (outcome.verdict, outcome.phase)
            assert 0 == provider.allotment.under_way

    run_in_time(main())


@pytest.mark.parametrize("sent", [b"", faults.STREAM_HEAD + faults.chunk(world.ANTHROPIC_STREAM[0])])
def test_whoever_lets_go_gives_the_place_back(run: Run, authority: Authority, sent: bytes) -> None:
    async def main() -> None:
        async with served(authority, faults.hang(sent), pool=ANTHROPIC) as (server, provider):
            sending = asyncio.create_task(ask(provider, ANTHROPIC, stream=True))
            await soon(server.asked.wait())
            for _ in range(50):
                await asyncio.sleep(0)
            assert 1 == provider.allotment.under_way
            sending.cancel()
            await asyncio.wait([sending])
            assert 0 == provider.allotment.under_way
            await soon(server.all_closed())

    run(main())


def test_beyond_its_allotment_nothing_is_sent(run: Run, authority: Authority) -> None:
    async def main() -> None:
        stream = faults.stream(world.OPENAI_STREAM)
        async with served(authority, stream, max_concurrent=1, requests_per_min=2) as (server, provider):
            first = await ask(provider, stream=True)
            assert Verdict.OVERLOADED is (await ask(provider, stream=True)).outcome.verdict
            first.close()
            (await ask(provider, stream=True)).close()
            third = await ask(provider, stream=True)
            assert (Verdict.RATE_LIMITED, 30.0) == (third.outcome.verdict, third.outcome.retry_after_s)
            assert (2, 2) == (len(server.requests), provider.allotment.refused)

    run(main())


def test_a_key_that_is_repeated_in_an_answer_is_taken_out(run: Run, authority: Authority) -> None:
    async def main() -> None:
        stream = faults.stream([world.chunk(f"your key is {KEY}", "stop"), faults.DONE])
        whole = faults.whole(200, world.OPENAI_ANSWER.replace(b"Hello", KEY.encode()))
        async with served(authority, stream, whole) as (_, provider):
            reply = await ask(provider, stream=True)
            told = await everything(reply)
            reply.close()
            assert b"your key is <key>" in told
            assert KEY.encode() not in told + (await ask(provider)).body
            assert "ForeignReply(ok, " in repr(reply)

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "verdict"),
    [(faults.whole(200, b'{"data":[]}'), Verdict.OK), (world.error("who?", 401), Verdict.UNAVAILABLE)],
)
def test_a_check_asks_for_the_models(run: Run, authority: Authority, behaviour: Behaviour, verdict: Verdict) -> None:
    async def main() -> None:
        async with served(authority, behaviour, check="models") as (server, provider):
            assert provider.has_check
            assert verdict is (await provider.check(attempt(provider))).outcome.verdict
            assert ("GET", "/api/v1/models") == (server.requests[0].method, server.requests[0].path)
            assert f"Bearer {KEY}" == server.requests[0].headers["authorization"]

    run(main())


def test_nothing_that_can_be_printed_holds_the_key(
    run: Run, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        settings = authority.settings("https://127.0.0.1:1/v1", headers={"X-Org": "secret-org"})
        async with Provider(settings) as provider:
            reply = await ask(provider)
            head = provider._client._head("https://a.example", "/x", "POST")
            shown = [settings, provider, provider._client, head, reply, reply.outcome, settings.words(b"user-key")]
            printed = "".join(map(repr, shown)) + caplog.text
            for secret in (KEY, "secret-org", "user-key"):
                assert secret not in printed

    run(main())
