"""What the client makes of an endpoint that fails before a byte of its answer counts."""

import gzip

import pytest

from router.policy.deadline import Deadlines
from router.policy.outcome import Outcome, Verdict
from router.upstream.client import Client
from router.upstream.reply import Reply
from router.upstream.settings import ClientSettings
from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer, refusing_port
from tests.router.upstream.support import BODY, LIMITS, PATH, Run, attempt_at


async def reply_to(
    behaviour: Behaviour, *, stream: bool, deadlines: Deadlines = LIMITS, settings: ClientSettings | None = None
) -> tuple[Reply, FaultServer]:
    """The client's reply, after everything was closed."""
    async with FaultServer(behaviour) as server:
        async with Client(settings, wall_clock=lambda: 1_700_000_000.0) as client:
            reply = await client.send(attempt_at(server.url, deadlines), PATH, BODY, stream=stream)
            reply.close()
        await server.all_closed()
    return reply, server


def test_a_refused_connection_is_unavailable_and_its_address_is_not_told(run: Run) -> None:
    async def main() -> None:
        with refusing_port() as url:
            async with Client() as client:
                reply = await client.send(attempt_at(url), PATH, BODY, stream=True)
        assert Outcome(Verdict.UNAVAILABLE, detail="cannot connect: connection refused") == reply.outcome
        assert 0 == reply.status

    run(main())


def test_a_name_that_does_not_resolve_is_unavailable(run: Run) -> None:
    async def main() -> None:
        async with Client() as client:
            reply = await client.send(attempt_at("http://nowhere.invalid:80"), PATH, BODY, stream=True)
        assert Outcome(Verdict.UNAVAILABLE, detail="the host name does not resolve") == reply.outcome

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (faults.closed_before_head, "the connection was closed without an answer"),
        (faults.reset_before_head, "the connection was lost: connection reset by peer"),
        (faults.garbage, "the answer is not valid HTTP"),
        (faults.hang(faults.STREAM_HEAD + faults.chunk(b":" + b"x" * 70_000)), "the answer was cut off"),
        (faults.then_close(faults.STREAM_HEAD), "the answer was cut off"),
        (faults.then_close(faults.STREAM_HEAD + faults.chunk(faults.COMMENT)), "the answer was cut off"),
    ],
    ids=["closed", "reset", "garbage", "a comment without end", "cut off after the head", "cut off after a comment"],
)
def test_a_stream_that_fails_before_its_first_byte_is_unavailable(
    run: Run, behaviour: Behaviour, expected: str
) -> None:
    async def main() -> None:
        reply, server = await reply_to(behaviour, stream=True)
        assert Outcome(Verdict.UNAVAILABLE, detail=expected) == reply.outcome
        assert 1 == len(server.requests)

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (faults.html, "the answer is not text/event-stream"),
        (faults.good_answer, "the answer is not text/event-stream"),
        (faults.whole(200, b"", "text/event-stream"), "the stream was empty"),
        (faults.stream([faults.COMMENT]), "the stream was empty"),
        (
            faults.whole(200, b"data: x\n\n", "text/event-stream", content_encoding="gzip"),
            "the answer is compressed, which was not asked for",
        ),
    ],
    ids=["HTML", "JSON", "empty", "only comments", "compressed"],
)
def test_a_200_that_is_no_stream_is_unavailable(run: Run, behaviour: Behaviour, expected: str) -> None:
    async def main() -> None:
        reply, _ = await reply_to(behaviour, stream=True)
        assert Outcome(Verdict.UNAVAILABLE, 200, expected) == reply.outcome

    run(main())


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (faults.shorter_than_its_length, Outcome(Verdict.UNAVAILABLE, detail="the answer was cut off")),
        (faults.html, Outcome(Verdict.UNAVAILABLE, 200, "the answer is not application/json")),
        (faults.whole(302, b"", location="http://127.0.0.1:1/"), Outcome(Verdict.UNAVAILABLE, 302, "HTTP 302")),
        (faults.internal_error, Outcome(Verdict.UNAVAILABLE, 500, "HTTP 500")),
        (faults.overloaded, Outcome(Verdict.OVERLOADED, 503, "HTTP 503", retry_after_s=2.0)),
        (faults.whole(503, b""), Outcome(Verdict.OVERLOADED, 503, "HTTP 503")),
        (faults.rate_limited, Outcome(Verdict.RATE_LIMITED, 429, "HTTP 429", retry_after_s=1.0)),
        (faults.bad_request, Outcome(Verdict.REJECTED, 400, "HTTP 400")),
        (faults.whole(422, b"{}"), Outcome(Verdict.REJECTED, 422, "HTTP 422")),
        (
            faults.whole(503, b"", retry_after="Tue, 14 Nov 2023 22:13:30 GMT"),
            Outcome(Verdict.OVERLOADED, 503, "HTTP 503", retry_after_s=10.0),
        ),
    ],
    ids=["truncated", "HTML", "redirect", "500", "503", "503 bare", "429", "400", "422", "503 with a date"],
)
def test_every_failure_of_a_whole_answer_has_its_verdict(run: Run, behaviour: Behaviour, expected: Outcome) -> None:
    async def main() -> None:
        reply, _ = await reply_to(behaviour, stream=False)
        assert expected == reply.outcome

    run(main())


def test_a_compressed_error_is_not_unpacked(run: Run) -> None:
    async def main() -> None:
        packed = gzip.compress(b"x" * 1_000_000)
        reply, _ = await reply_to(faults.whole(400, packed, content_encoding="gzip"), stream=False)
        assert packed == reply.body

    run(main())


@pytest.mark.parametrize("stream", [True, False])
def test_the_body_of_an_error_is_there_to_be_explained(run: Run, stream: bool) -> None:
    async def main() -> None:
        reply, _ = await reply_to(faults.bad_request, stream=stream)
        assert faults.ERROR == reply.body
        assert b"" == await reply.read()

    run(main())


def test_of_an_endless_error_only_the_limit_is_read(run: Run) -> None:
    async def main() -> None:
        behaviour = faults.hang(faults.head(500, content_length="9999999") + b"x" * 300_000)
        reply, server = await reply_to(behaviour, stream=False, settings=ClientSettings(max_error_bytes=1000))
        assert (Verdict.UNAVAILABLE, b"x" * 1000) == (reply.outcome.verdict, reply.body)
        assert 1 == server.closed_by_client

    run(main())


def test_a_whole_answer_beyond_the_limit_is_broken_and_not_tried_elsewhere(run: Run) -> None:
    async def main() -> None:
        settings = ClientSettings(max_body_bytes=len(faults.ANSWER) - 1)
        reply, _ = await reply_to(faults.good_answer, stream=False, settings=settings)
        assert (
            Outcome(Verdict.BROKEN, 200, f"the answer is larger than {len(faults.ANSWER) - 1} bytes") == reply.outcome
        )
        assert b"" == reply.body

    run(main())
