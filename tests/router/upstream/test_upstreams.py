"""Attempts go to whoever their pool is of."""

import asyncio

from router.policy.attempt import Attempt
from router.policy.outcome import Outcome, Verdict
from router.upstream.client import Client
from router.upstream.reply import Reply
from router.upstream.upstreams import Upstreams
from tests import fault_behaviours as faults
from tests.faults import FaultServer
from tests.router.upstream.provider_world import OPENAI
from tests.router.upstream.support import PATH, attempt_at


def test_engines_and_providers() -> None:
    asked: list[tuple[str, bytes, bool]] = []

    class Burst:
        async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply:
            asked.append((path, body, stream))
            return Reply(Outcome(Verdict.OK), 200, b"theirs")

    async def main() -> None:
        async with FaultServer(faults.good_answer) as server, Client() as client:
            upstreams = Upstreams(client, {"openrouter": Burst()})
            ours = attempt_at(server.url)
            theirs = Attempt(2, OPENAI, ours.endpoint, ours.deadlines)
            assert faults.ANSWER == (await upstreams.send(ours, PATH, b"{}", stream=False)).body
            assert b"theirs" == (await upstreams.send(theirs, "/chat/completions", b"{}", stream=True)).body
            assert [("/chat/completions", b"{}", True)] == asked

    asyncio.run(main())
