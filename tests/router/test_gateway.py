"""One request's life against an upstream that does as it is told: no sockets, no waiting for real time."""

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from router.company import SSE_COMMENT, StreamSettings
from router.gateway import Gateway
from router.generation import Generation
from router.policy.admission import AdmissionSettings
from router.policy.attempt import Attempt
from router.policy.catalog import Endpoint, EndpointId, Pool, Price
from router.policy.hedge import HedgeSettings
from router.policy.load import TokenLoad
from router.policy.model_names import ModelNames
from router.policy.outcome import Outcome, Phase, StreamBroken, Usage, Verdict
from router.policy.plan import Planner
from router.policy.route import Reason
from router.protocol.errors import ApiError, render
from router.protocol.limits import Limits
from router.protocol.request import parse_chat
from tests.cancelling import CancelAt
from tests.router.accounts import ME, Journal, accounting
from tests.router.rules import Seen, rules

POOL = Pool("local", "m/eyes", "eyes", context_length=1_000, price=Price(prompt=1e-6, completion=2e-6))
OK = Outcome(Verdict.OK, 200)
REFUSED = Outcome(Verdict.UNAVAILABLE, detail="cannot connect: connection refused")
BROKEN = Outcome(Verdict.BROKEN, detail="the answer was cut off")
USAGE = b'"usage":{"prompt_tokens":7,"total_tokens":9,"completion_tokens":2}'


def chunk(choices: bytes, more: bytes = b"") -> bytes:
    head = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"eyes","choices":'
    return head + choices + more + b"}\n\n"


def said(text: str) -> bytes:
    delta = b'[{"index":0,"delta":{"content":%b},"logprobs":null,"finish_reason":null,"token_ids":null}]'
    return chunk(delta % json.dumps(text).encode())


ROLE = chunk(b'[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]')
STOP = chunk(b'[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null}]')
LAST = chunk(b"[]", b"," + USAGE) + b"data: [DONE]\n\n"
STREAM = (ROLE + said("A red"), said(" circle."), STOP, LAST)
WHOLE = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"eyes","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"A red circle."},"finish_reason":"stop"}],' + USAGE + b"}"
)


class FakeReply:
    """The first body, then what `read` gives: bytes, or an outcome to break with."""

    def __init__(self, outcome: Outcome, body: bytes = b"", *more: bytes | Outcome) -> None:
        self.outcome = outcome
        self.body = body
        self.more = list(more)
        self.is_closed = False

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        following = self.more.pop(0) if self.more else b""
        if isinstance(following, Outcome):
            raise StreamBroken(following)
        return following

    def close(self) -> None:
        self.is_closed = True


class FakeUpstream:
    """Gives the replies in their order; before each it waits for `gate`, where there is one."""

    def __init__(self, *replies: FakeReply, gate: Callable[[], Any] | None = None) -> None:
        self.replies = list(replies)
        self.given: list[FakeReply] = []
        self.sent: list[tuple[Attempt, dict[str, Any]]] = []
        self.gate = gate

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> FakeReply:
        self.sent.append((attempt, json.loads(body)))
        await (asyncio.sleep(0) if self.gate is None else self.gate())
        reply = self.replies.pop(0)
        self.given.append(reply)
        return reply


class FakeClient:
    def __init__(self) -> None:
        self.journal = Journal()
        self.rows_before_the_end = 0
        self.started: list[bool] = []
        self.data = b""
        self.is_complete = False
        self.has_written = asyncio.Event()

    async def start(self, *, stream: bool, length: int | None) -> None:
        await asyncio.sleep(0)
        self.started.append(stream)

    async def write(self, data: bytes, *, more: bool) -> None:
        if not more or b"[DONE]" in data:
            self.rows_before_the_end = len(self.journal.ended)
        await asyncio.sleep(0)
        assert not self.is_complete
        self.data += data
        self.is_complete = not more
        self.has_written.set()

    def events(self) -> list[Any]:
        """The data of every event, decoded; comments left out."""
        lines = [line[6:] for line in self.data.decode().split("\n\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    def text(self) -> str:
        return "".join(event["choices"][0]["delta"].get("content", "") for event in self.events()[:-1])


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.ended: list[Generation] = []
        self.waited: list[str] = []
        self.decided = 0

    def on_decided(self, seconds: float) -> None:
        self.decided += 1

    def on_waited(self, pool: str, seconds: float) -> None:
        self.waited.append(pool)

    def on_end(self, generation: Generation) -> None:
        self.ended.append(generation)


class World:
    def __init__(
        self,
        *replies: FakeReply,
        endpoints: int = 2,
        comment_after_s: float | None = None,
        policies: dict[str, Any] | None = None,
        clock: Callable[[], float] = lambda: 0.0,
        **gate: Any,
    ) -> None:
        self.upstream = FakeUpstream(*replies, **gate)
        self.load = TokenLoad()
        self.endpoints = [Endpoint(EndpointId(f"e{i}"), f"http://e{i}") for i in range(endpoints)]
        self.seen = Seen()
        self.heard = Heard()
        self.client = FakeClient()
        self.journal = self.client.journal
        self.accounting = accounting(self.journal, clock=clock)
        self.rules = rules(lambda pool: self.endpoints, observer=self.seen, load=self.load, **policies or {})
        self.gateway = Gateway(
            planner=Planner(ModelNames([POOL]), performance=self.rules.performance, rng=random.Random(1)),
            rules=self.rules,
            upstream=self.upstream,
            stream=StreamSettings(comment_after_s=comment_after_s, comment_every_s=0.001),
            clock=clock,
            listener=self.heard,
        )

    @property
    def settled(self) -> list[tuple[Verdict, Usage | None]]:
        return [(verdict, usage) for _, verdict, usage in self.seen.settled]

    @property
    def ended(self) -> list[Generation]:
        return self.heard.ended

    async def answer(self, *, stream: bool, wants_metadata: bool = False, **fields: Any) -> None:
        body = {"model": "m/eyes", "messages": [{"role": "user", "content": "What is it?"}], "stream": stream}
        request = parse_chat(json.dumps(body | fields).encode(), Limits())
        ticket = self.accounting.admit(ME)
        generation = Generation("gen-1", request, 0.0, 1, ME, ticket, wants_metadata=wants_metadata)
        await self.gateway.answer(generation, self.client)

    def run(self, *, stream: bool, **fields: Any) -> None:
        asyncio.run(self.answer(stream=stream, **fields))

    def refused(self, *, stream: bool, **fields: Any) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.run(stream=stream, **fields)
        assert self.client.started == []
        return caught.value

    def assert_everything_is_given_back(self) -> None:
        assert [self.load.of(endpoint.id).queued for endpoint in self.endpoints] == [0] * len(self.endpoints)
        assert [self.load.of(endpoint.id).streams for endpoint in self.endpoints] == [0] * len(self.endpoints)
        assert all(reply.is_closed for reply in self.upstream.given)
        assert len(self.settled) == len(self.upstream.sent)
        assert (0, 0) == (self.accounting.quotas.in_flight, self.accounting.quotas.reserved)
        self.journal.assert_each_is_written_once()


def hedged_world(*replies: FakeReply, **gate: Any) -> World:
    """Two endpoints, and every attempt is late at once."""
    ticks = count()
    policies = {"hedge": HedgeSettings(enabled=True, ratio=1.0)}
    world = World(*replies, policies=policies, clock=lambda: next(ticks) / 1_000, **gate)
    for endpoint_is_late in range(100):
        world.rules.hedges("local").learn(1.0, 1e-9 if endpoint_is_late < 99 else 1e9)
    return world


def test_a_whole_answer_comes_in_openrouters_shape() -> None:
    world = World(FakeReply(OK, WHOLE))
    world.run(stream=False)
    answer = json.loads(world.client.data)
    assert (answer["id"], answer["model"], answer["provider"]) == ("gen-1", "m/eyes", "local")
    assert answer["choices"][0]["message"]["content"] == "A red circle."
    assert answer["usage"]["cost"] == pytest.approx(7e-6 + 4e-6)
    assert world.settled == [(Verdict.OK, Usage(7, 2))]
    world.assert_everything_is_given_back()


def test_a_stream_is_relayed_and_ends_with_usage_and_done() -> None:
    world = World(FakeReply(OK, STREAM[0], *STREAM[1:]))
    world.run(stream=True)
    assert world.client.text() == "A red circle."
    assert {event["id"] for event in world.client.events()[:-1]} == {"gen-1"}
    assert world.client.events()[-2]["usage"]["completion_tokens"] == 2
    assert world.client.events()[-1] == "[DONE]"
    assert (world.client.started, world.client.is_complete) == ([True], True)
    assert world.settled == [(Verdict.OK, Usage(7, 2))]
    assert [(ended.finish_reason, ended.usage) for ended in world.ended] == [("stop", Usage(7, 2))]
    world.assert_everything_is_given_back()


@pytest.mark.parametrize("stream", [False, True])
def test_a_broken_endpoint_is_invisible_to_the_caller(stream: bool) -> None:
    good = FakeReply(OK, STREAM[0], *STREAM[1:]) if stream else FakeReply(OK, WHOLE)
    world = World(FakeReply(REFUSED), good)
    world.run(stream=stream)
    assert world.client.is_complete
    assert [verdict for verdict, _ in world.settled] == [Verdict.UNAVAILABLE, Verdict.OK]
    first, second = (attempt for attempt, _ in world.upstream.sent)
    assert first.endpoint != second.endpoint
    world.assert_everything_is_given_back()


@pytest.mark.parametrize("stream", [False, True])
def test_when_all_fail_the_caller_gets_a_real_status(stream: bool) -> None:
    world = World(FakeReply(REFUSED), FakeReply(Outcome(Verdict.TIMEOUT, phase=Phase.FIRST_TOKEN)))
    error = world.refused(stream=stream)
    assert (error.status, error.metadata["attempts"]) == (504, 2)
    assert world.ended[0].outcome == Outcome(Verdict.TIMEOUT, phase=Phase.FIRST_TOKEN)
    world.assert_everything_is_given_back()


def test_what_the_engine_refuses_is_not_tried_elsewhere() -> None:
    told = b'{"error":{"message":"top_k must be -1 or at least 1","type":"BadRequestError","code":400}}'
    world = World(FakeReply(Outcome(Verdict.REJECTED, 400, "HTTP 400"), told))
    error = world.refused(stream=False)
    assert (error.status, error.message) == (400, "top_k must be -1 or at least 1")
    world.assert_everything_is_given_back()


def test_without_an_endpoint_the_caller_is_told_to_come_back() -> None:
    error = World(endpoints=0).refused(stream=False)
    assert (error.status, error.error_type) == (503, "provider_overloaded")
    assert error.retry_after_s is not None


def test_an_unknown_model_is_no_valid_model_id() -> None:
    error = World().refused(stream=False, model="m/none")
    assert (error.status, error.message) == (400, "m/none is not a valid model ID")


def test_a_picture_for_a_model_that_cannot_see_names_what_excluded_it() -> None:
    png = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAA"
        "AElFTkSuQmCC"
    )
    content = [{"type": "image_url", "image_url": {"url": png}}]
    error = World().refused(stream=False, messages=[{"role": "user", "content": content}])
    assert (error.status, error.message) == (404, "No endpoints found that support image input")
    assert error.metadata["availability"] == {
        "code": "constraint_filtered",
        "retryable": False,
        "requested_models": ["m/eyes"],
        "excluded_by": {"local": "input_modalities"},
    }


def test_more_tokens_than_the_context_holds_are_refused_in_the_words_clients_look_for() -> None:
    error = World().refused(stream=False, max_tokens=1_000)
    assert (error.status, error.error_type) == (400, "context_length_exceeded")
    assert "maximum context length is 1000 tokens" in error.message
    assert "1000 in the output" in error.message


def test_nonsense_instead_of_an_answer_is_the_endpoints_fault() -> None:
    world = World(FakeReply(OK, b'{"choices":[]}'), FakeReply(OK, WHOLE))
    world.run(stream=False)
    assert [verdict for verdict, _ in world.settled] == [Verdict.UNAVAILABLE, Verdict.OK]
    world.assert_everything_is_given_back()


def test_an_error_event_in_place_of_the_first_token_is_a_real_status() -> None:
    told = b'data: {"error":{"message":"bad grammar","type":"BadRequestError","code":400}}\n\n'
    world = World(FakeReply(OK, told))
    assert world.refused(stream=True).status == 400
    world.assert_everything_is_given_back()


def test_a_stream_that_breaks_ends_with_an_error_event() -> None:
    world = World(FakeReply(OK, STREAM[0], BROKEN))
    world.run(stream=True)
    error = world.client.events()[-2]
    assert (error["error"]["code"], error["error"]["metadata"]["error_type"]) == (502, "provider_unavailable")
    assert error["choices"][0]["finish_reason"] == "error"
    assert world.settled == [(Verdict.BROKEN, Usage(7, 1, is_exact=False))]
    assert world.ended[0].outcome == BROKEN
    world.assert_everything_is_given_back()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param((), id="nothing"),
        pytest.param((b"data: [DONE]\n\n",), id="done without a finish reason"),
        pytest.param((STOP,), id="a finish reason without done"),
        pytest.param((b"data: {broken\n\n",), id="an event that is no JSON"),
    ],
)
def test_an_end_that_is_none_is_never_passed_on_as_one(more: tuple[bytes, ...]) -> None:
    world = World(FakeReply(OK, STREAM[0], *more))
    world.run(stream=True)
    assert world.client.events()[-2]["error"]["code"] == 502
    assert [verdict for verdict, _ in world.settled] == [Verdict.BROKEN]
    world.assert_everything_is_given_back()


class Gate:
    """Opens when the client has had so many comments."""

    def __init__(self, comments: int) -> None:
        self.comments = comments
        self.client = FakeClient()

    async def __call__(self) -> None:
        while self.client.data.count(SSE_COMMENT) < self.comments:
            await self.client.has_written.wait()
            self.client.has_written.clear()


def test_a_waiting_stream_is_kept_company_with_comments() -> None:
    gate = Gate(comments=3)
    world = World(FakeReply(OK, STREAM[0], *STREAM[1:]), comment_after_s=0.001, gate=gate)
    gate.client = world.client
    world.run(stream=True)
    assert world.client.data.startswith(SSE_COMMENT * 3)
    assert (world.client.started, world.client.text()) == ([True], "A red circle.")
    world.assert_everything_is_given_back()


def test_failover_goes_on_behind_the_comments() -> None:
    gate = Gate(comments=1)
    world = World(FakeReply(REFUSED), FakeReply(OK, STREAM[0], *STREAM[1:]), comment_after_s=0.001, gate=gate)
    gate.client = world.client
    world.run(stream=True)
    assert world.client.text() == "A red circle."
    world.assert_everything_is_given_back()


def test_after_a_comment_an_error_is_an_event() -> None:
    gate = Gate(comments=1)
    world = World(FakeReply(REFUSED), FakeReply(REFUSED), comment_after_s=0.001, gate=gate)
    gate.client = world.client
    world.run(stream=True)
    assert world.client.events()[0]["error"]["code"] == 502
    assert world.client.is_complete
    world.assert_everything_is_given_back()


@pytest.mark.parametrize(
    ("stream", "comment_after_s", "replies"),
    [
        pytest.param(False, None, [(REFUSED,), (OK, WHOLE)], id="whole, after a retry"),
        pytest.param(True, None, [(REFUSED,), (OK, *STREAM)], id="stream, after a retry"),
        pytest.param(True, 60.0, [(REFUSED,), (OK, *STREAM)], id="stream with company"),
        pytest.param(True, 0.0, [(REFUSED,), (OK, *STREAM)], id="stream with comments"),
        pytest.param(True, 0.0, [(REFUSED,), (REFUSED,)], id="all fail behind comments"),
        pytest.param(True, None, [(OK, STREAM[0], BROKEN)], id="stream that breaks"),
        pytest.param(False, None, [(REFUSED,), (REFUSED,)], id="all fail"),
        pytest.param(True, -1.0, [(OK, *STREAM), (OK, *STREAM)], id="hedged stream"),
        pytest.param(True, -1.0, [(REFUSED,), (OK, *STREAM)], id="hedged stream, one fails"),
        pytest.param(True, -1.0, [(REFUSED,), (REFUSED,)], id="hedged stream, both fail"),
    ],
)
def test_whenever_the_client_leaves_everything_is_given_back(
    stream: bool, comment_after_s: float | None, replies: list[tuple[Any, ...]]
) -> None:
    async def leave_at(n: int) -> bool:
        if comment_after_s == -1.0:
            world = hedged_world(*(FakeReply(*reply) for reply in replies))
        else:
            world = World(*(FakeReply(*reply) for reply in replies), comment_after_s=comment_after_s)
        leaving = CancelAt(world.answer(stream=stream), n)

        async def watch() -> None:
            with suppress(ApiError):  # where all attempts fail
                await leaving

        task = asyncio.ensure_future(watch())
        await asyncio.wait((task,))
        if others := asyncio.all_tasks() - {asyncio.current_task()}:  # what a cancelled attempt still does
            await asyncio.wait(others)
        assert leaving.was_cancelled == task.cancelled()
        world.assert_everything_is_given_back()
        assert len(world.ended) == 1
        if leaving.was_cancelled:
            assert world.ended[0].outcome == Outcome(Verdict.CANCELLED)
        return leaving.was_cancelled

    n = 1
    while asyncio.run(leave_at(n)):
        n += 1
    assert n > 2


class Slow:
    """Keeps the first attempt waiting until the second has answered."""

    def __init__(self) -> None:
        self.attempts = 0
        self.was_cancelled = False

    async def __call__(self) -> None:
        self.attempts += 1
        if self.attempts > 1:
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


def test_of_two_attempts_side_by_side_the_first_good_one_answers_and_the_other_is_cancelled() -> None:
    slow = Slow()
    world = hedged_world(FakeReply(OK, *STREAM), gate=slow)
    world.run(stream=True)
    assert world.client.text() == "A red circle."
    assert (slow.attempts, slow.was_cancelled) == (2, True)
    assert {Verdict.CANCELLED, Verdict.OK} == {verdict for verdict, _ in world.settled}
    first, second = (attempt for attempt, _ in world.upstream.sent)
    assert (first.endpoint != second.endpoint, second.is_hedge) == (True, True)
    world.assert_everything_is_given_back()


def test_a_whole_answer_is_never_hedged() -> None:
    world = hedged_world(FakeReply(OK, WHOLE))
    world.run(stream=False)
    assert len(world.upstream.sent) == 1


def test_the_prompt_of_a_whole_answer_is_presumed_to_be_read_in_time() -> None:
    async def scenario() -> None:
        release = asyncio.Event()
        world = World(FakeReply(OK, WHOLE), gate=release.wait)
        asking = asyncio.create_task(world.answer(stream=False))
        async with asyncio.timeout(5):
            while not world.upstream.sent or any(world.load.of(e.id).queued for e in world.endpoints):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert sum(world.load.of(each.id).streams for each in world.endpoints) == 1
        release.set()
        await asking
        world.assert_everything_is_given_back()

    asyncio.run(scenario())


def test_a_request_waits_for_the_first_endpoint_to_appear() -> None:
    async def scenario() -> None:
        world = World(FakeReply(OK, *STREAM), endpoints=0, policies={"waiting_room_s": 5.0})
        asking = asyncio.create_task(world.answer(stream=True))
        while not len(world.rules.queue("local")):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0)
        world.endpoints.append(Endpoint(EndpointId("new"), "http://new"))
        await asking
        assert world.client.text() == "A red circle."
        assert world.heard.waited == ["local"]

    asyncio.run(scenario())


LATE = {"admission": AdmissionSettings(first_token_s=0.001, length_factor=1.0, saturated_s=None)}


def test_what_cannot_be_in_time_is_told_why_and_when_to_come_back() -> None:
    world = World(policies=LATE)
    for endpoint in world.endpoints:
        world.load.take(endpoint.id, 5_000, 0)
    error = world.refused(stream=False)
    assert (error.status, error.error_type, error.metadata["reason"]) == (503, "provider_overloaded", "deadline")
    assert error.retry_after_s == pytest.approx(5.0, abs=0.1)
    assert world.ended[0].unsent is Reason.LATE


def test_who_asks_is_told_how_the_request_was_routed() -> None:
    for stream in (False, True):
        good = FakeReply(OK, *STREAM) if stream else FakeReply(OK, WHOLE)
        world = World(FakeReply(REFUSED), good)
        asyncio.run(world.answer(stream=stream, wants_metadata=True))
        answer = world.client.events()[-2] if stream else json.loads(world.client.data)
        told = answer["openrouter_metadata"]
        assert (told["requested"], told["strategy"], told["attempt"]) == ("m/eyes", "direct", 2)
        assert [each["status"] for each in told["attempts"]] == [502, 200]
        first, second = told["routing"]
        assert (first["candidates_total"], second["candidates_total"]) == (2, 1)
        assert second["reason"] == "only one endpoint was available"
        assert first["candidates"][0]["selected"]


def test_an_error_tells_it_too() -> None:
    world = World(FakeReply(REFUSED), FakeReply(REFUSED))
    with pytest.raises(ApiError) as caught:
        asyncio.run(world.answer(stream=False, wants_metadata=True))
    assert caught.value.routing is not None
    assert json.loads(render(caught.value))["openrouter_metadata"]["attempt"] == 2


def test_nobody_is_told_unasked() -> None:
    world = World(FakeReply(OK, WHOLE))
    world.run(stream=False)
    assert "openrouter_metadata" not in json.loads(world.client.data)


@pytest.mark.parametrize(
    ("stream", "replies", "status", "cost"),
    [
        pytest.param(False, [(OK, WHOLE)], "ok", 11_000, id="whole"),
        pytest.param(True, [(OK, *STREAM)], "ok", 11_000, id="stream"),
        pytest.param(True, [(OK, b"".join(STREAM))], "ok", 11_000, id="stream in one piece"),
        pytest.param(True, [(OK, STREAM[0], BROKEN)], "broken", 0, id="stream that breaks"),
    ],
)
def test_the_row_is_written_before_the_last_byte(
    stream: bool, replies: list[tuple[Any, ...]], status: str, cost: int
) -> None:
    world = World(*(FakeReply(*reply) for reply in replies))
    world.run(stream=stream)
    assert 1 == world.client.rows_before_the_end
    assert [(status, cost, "config:me")] == [(row.status, row.cost, row.key) for row in world.journal.ended]
    world.assert_everything_is_given_back()


def test_what_failed_behind_comments_is_written_before_its_error_is_told() -> None:
    gate = Gate(comments=1)
    world = World(FakeReply(REFUSED), FakeReply(REFUSED), comment_after_s=0.001, gate=gate)
    gate.client = world.client
    world.run(stream=True)
    assert 1 == world.client.rows_before_the_end
    assert [("unavailable", 0, 2)] == [(row.status, row.cost, row.attempts) for row in world.journal.ended]


def test_a_client_that_leaves_pays_for_what_it_got() -> None:
    world = World(FakeReply(OK, STREAM[0], *STREAM[1:]))

    async def leave() -> None:
        answering = asyncio.create_task(world.answer(stream=True))
        await world.client.has_written.wait()
        answering.cancel()
        await asyncio.wait((answering,))

    asyncio.run(leave())
    row = world.journal.ended[0]
    assert ("cancelled", False) == (row.status, row.is_exact)
    assert (row.completion_tokens, row.prompt_tokens * 1_000 + row.completion_tokens * 2_000) == (1, row.cost)
    world.assert_everything_is_given_back()


def test_what_nobody_can_serve_is_neither_reserved_nor_written() -> None:
    world = World()
    world.refused(stream=False, model="m/other")
    assert ([], []) == (world.journal.begun, world.journal.ended)
    world.assert_everything_is_given_back()
