"""The open-loop client against a simulated engine, which speaks as the router does where it matters here."""

import asyncio
import socket
from collections.abc import Sequence

from bench.live.client import Seen, send_all
from bench.live.request import Asked, chat
from bench.simulator.faults import Fault, Kind
from bench.simulator.fleet import Place, fleet
from tests.bench.simulator.support import FAST


def asked(number: int, at_s: float = 0.0) -> Asked:
    fields = chat("m", [{"role": "user", "content": f"{number} Hello. " * 30}], 20)
    return Asked(at_s, fields[:-1] + b',"stream_options":{"include_usage":true}}', 0)


def sent(requests: Sequence[Asked], *faults: Fault) -> list[Seen]:
    async def main() -> list[Seen]:
        async with fleet(FAST, 1, Place()) as engines:
            (replica,) = engines.replicas
            await replica.set_faults(faults)
            return await send_all(replica.listener.url.removeprefix("http://"), requests, FAST.time_scale)

    return asyncio.run(main())


def test_each_request_is_answered_and_counted() -> None:
    seen = sent([asked(number) for number in range(5)] + [asked(0, 300.0)])
    assert [None] * 6 == [each.failure for each in seen]
    assert {20} == {each.output_tokens for each in seen}
    assert [0, seen[0].prompt_tokens // 16 * 16] == [seen[0].cached_tokens, seen[5].cached_tokens]
    for each in seen:
        assert each.first_s is not None
        assert each.whole_s is not None
        assert 0 < each.first_s < each.whole_s
        assert each.token_s > 0


def test_what_is_refused_is_told_from_what_fails() -> None:
    refused = sent([asked(1)], Fault(kind=Kind.BUSY))[0]
    failed = sent([asked(1)], Fault(kind=Kind.RESET))[0]
    assert (True, False) == (refused.is_refused, failed.is_refused)
    assert None not in (refused.failure, failed.failure)


def test_an_address_where_nobody_listens_fails_every_request() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        seen = asyncio.run(send_all(f"127.0.0.1:{taken.getsockname()[1]}", [asked(1)], 1.0))
    assert (seen[0].failure or "").startswith("cannot connect")
