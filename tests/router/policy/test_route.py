"""The flow of attempts, driven by hand: no I/O, no clock but a number."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from router.policy.admission import AdmissionSettings
from router.policy.call import Call, Prefix, Priority
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.fair_queue import Fate
from router.policy.hedge import HedgeSettings
from router.policy.lease import Pick
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.route import (
    EXPECTED_COMPLETION_TOKENS,
    Failure,
    Reason,
    Refusal,
    Route,
    Wait,
    has_room,
    hedge,
    route,
)
from tests.router.rules import ALL_TAKEN, UNHEDGED, Seen, rules

LOCAL = Pool("local", "m", "m")
SPARE = Pool("spare", "m", "m")
OK = Outcome(Verdict.OK)
REFUSED = Outcome(Verdict.UNAVAILABLE, detail="connection refused")
BUSY = Outcome(Verdict.OVERLOADED, 503, retry_after_s=7.0)
CALL = Call("m", prompt_tokens=100, max_tokens=50)


class World:
    """Everything a route decides with, the time at hand, and what was settled."""

    def __init__(
        self,
        *,
        floor_per_s: float = 10.0,
        max_attempts: int = 3,
        admission: AdmissionSettings = ALL_TAKEN,
        hedge: HedgeSettings = UNHEDGED,
        waiting_room_s: float = 0.0,
        adapter: str | None = None,
        **endpoints: int,
    ) -> None:
        self.now = 0.0
        self.seen = Seen()
        self.announced: list[tuple[EndpointId, Sequence[int]]] = []
        self.fleet = {
            pool: [Endpoint(EndpointId(f"{pool}-{i}"), f"http://{pool}-{i}") for i in range(size)]
            for pool, size in endpoints.items()
        }
        self.load = TokenLoad()
        self.rules = rules(
            lambda pool: self.fleet[pool],
            observer=self.seen,
            load=self.load,
            deadlines=Deadlines(total_s=10.0),
            max_attempts=max_attempts,
            floor_per_s=floor_per_s,
            admission=admission,
            hedge=hedge,
            waiting_room_s=waiting_room_s,
            announce=lambda endpoint_id, hashes: self.announced.append((endpoint_id, hashes)),
            adapter=adapter,
        )

    def route(self, *pools: Pool, call: Call = CALL) -> Route:
        return route(call, pools, self.rules, lambda: self.now)

    def queued(self) -> int:
        return sum(self.load.of(endpoint.id).queued for pool in self.fleet.values() for endpoint in pool)

    def streams(self) -> int:
        return sum(self.load.of(endpoint.id).streams for pool in self.fleet.values() for endpoint in pool)

    def context(self) -> int:
        return sum(self.load.of(endpoint.id).context for pool in self.fleet.values() for endpoint in pool)


def pick_of(attempts: Route) -> Pick:
    step = next(attempts)
    assert isinstance(step, Pick)
    return step


def fail(attempts: Route, pick: Pick, outcome: Outcome) -> Pick:
    pick.lease.end(outcome)
    step = attempts.send(outcome)
    assert isinstance(step, Pick)
    return step


def refusal(attempts: Route, pick: Pick, outcome: Outcome) -> Refusal:
    pick.lease.end(outcome)
    return ended(attempts, outcome)


def ended(attempts: Route, outcome: Outcome | None = None) -> Refusal:
    with pytest.raises(StopIteration) as stop:
        attempts.send(outcome)
    assert isinstance(stop.value.value, Refusal)
    return stop.value.value


def test_an_attempt_holds_its_tokens_until_it_ends() -> None:
    world = World(local=1)
    pick = pick_of(world.route(LOCAL))
    assert (world.queued(), world.streams(), world.context()) == (100, 1, 150)
    pick.lease.commit()
    assert (world.queued(), world.streams(), world.context()) == (0, 1, 150)
    pick.lease.end(OK)
    assert (world.queued(), world.streams(), world.context()) == (0, 0, 0)
    assert world.seen.settled == [(1, Verdict.OK, None)]


def test_a_call_without_max_tokens_counts_as_an_ordinary_answer() -> None:
    world = World(local=1)
    next(world.route(LOCAL, call=Call("m")))
    assert world.context() == EXPECTED_COMPLETION_TOKENS


def test_a_refused_attempt_goes_on_at_another_endpoint() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    first = pick_of(attempts)
    second = fail(attempts, first, REFUSED)
    assert second.attempt.number == 2
    assert first.attempt.endpoint != second.attempt.endpoint


def test_when_a_pool_is_used_up_the_next_is_tried() -> None:
    world = World(local=1, spare=1)
    attempts = world.route(LOCAL, SPARE)
    second = fail(attempts, pick_of(attempts), REFUSED)
    assert second.attempt.pool == SPARE


def test_a_pool_gets_no_more_attempts_than_the_policy_allows() -> None:
    world = World(local=4, spare=1, max_attempts=2)
    attempts = world.route(LOCAL, SPARE)
    second = fail(attempts, pick_of(attempts), REFUSED)
    third = fail(attempts, second, REFUSED)
    assert (second.attempt.pool, third.attempt.pool) == (LOCAL, SPARE)


def test_the_clients_own_fault_is_not_retried() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    rejected = Outcome(Verdict.REJECTED, 400)
    assert refusal(attempts, pick_of(attempts), rejected) == Refusal(1, rejected, LOCAL)


def test_the_refusal_tells_the_earliest_time_to_come_back() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    later = Outcome(Verdict.OVERLOADED, 503, retry_after_s=9.0)
    second = fail(attempts, pick_of(attempts), later)
    assert refusal(attempts, second, BUSY) == Refusal(2, BUSY, LOCAL, 7.0, earlier=(Failure(LOCAL, later),))


def test_endpoints_that_asked_for_a_pause_are_not_tried_before_it_is_over() -> None:
    world = World(local=1)
    attempts = world.route(LOCAL)
    refusal(attempts, pick_of(attempts), BUSY)
    world.now = 1.0
    with pytest.raises(StopIteration) as stop:
        next(world.route(LOCAL))
    assert stop.value.value == Refusal(0, retry_after_s=6.0)
    world.now = 7.5
    assert pick_of(world.route(LOCAL)).attempt.number == 1


def test_a_pool_without_endpoints_is_passed_over() -> None:
    world = World(local=0, spare=1)
    assert pick_of(world.route(LOCAL, SPARE)).attempt.pool == SPARE


def test_without_any_endpoint_no_attempt_is_made() -> None:
    with pytest.raises(StopIteration) as stop:
        next(World(local=0).route(LOCAL))
    assert stop.value.value == Refusal(0)


def test_an_empty_retry_budget_passes_the_error_on() -> None:
    world = World(local=2, floor_per_s=0.0)
    attempts = world.route(LOCAL)
    assert refusal(attempts, pick_of(attempts), REFUSED) == Refusal(1, REFUSED, LOCAL)


def test_no_attempt_begins_when_the_requests_time_is_over() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    pick = pick_of(attempts)
    world.now = 10.0
    late = Outcome(Verdict.TIMEOUT)
    assert refusal(attempts, pick, late) == Refusal(1, late, LOCAL)


def test_a_later_attempt_has_only_the_time_that_is_left() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    pick = pick_of(attempts)
    world.now = 8.0
    second = fail(attempts, pick, Outcome(Verdict.TIMEOUT))
    assert second.attempt.deadlines == Deadlines(connect_s=1.0, first_token_s=2.0, idle_s=2.0, total_s=2.0)


PROMPT = Call(
    "m", prompt_tokens=1_000, prefix=Prefix((1, 2), (500, 1_000)), stream=True, account="me", text_bytes=4_000
)


def test_the_second_of_two_equal_prompts_goes_where_the_first_is() -> None:
    world = World(local=4)
    first = pick_of(world.route(LOCAL, call=PROMPT))
    first.lease.commit()
    first.lease.end(OK, Usage(1_000, 5))
    second = pick_of(world.route(LOCAL, call=PROMPT))
    assert first.attempt.endpoint == second.attempt.endpoint
    assert (0, 999) == (first.decision.cached_tokens, second.decision.cached_tokens)
    assert 1 == world.queued()


def test_other_routers_hear_what_was_sent_where() -> None:
    world = World(local=1)
    pick_of(world.route(LOCAL, call=PROMPT))
    assert [("local-0", (1, 2))] == world.announced


def test_an_answer_teaches_the_length_of_tokens_and_the_account_pays() -> None:
    world = World(local=1)
    before = world.rules.lengths.bytes_per_token("m", "prose")
    pick_of(world.route(LOCAL, call=PROMPT)).lease.end(OK, Usage(1_500, 100, cached_tokens=500))
    assert world.rules.lengths.bytes_per_token("m", "prose") < before
    assert {"me": 1_000 + 2 * 100} == world.rules.queue("local").service(0.0)
    assert [Usage(1_500, 100, cached_tokens=500)] == world.seen.counted


@pytest.mark.parametrize("tells_cached", [True, False])
def test_where_the_engine_says_so_less_is_believed_to_be_cached(tells_cached: bool) -> None:
    world = World(local=1)
    world.rules.index.resize(EndpointId("local-0"), 8)
    eight = Call("m", prompt_tokens=4_000, prefix=Prefix(tuple(range(8)), tuple(range(500, 4_001, 500))))
    for _ in range(6):
        pick_of(world.route(LOCAL, call=eight)).lease.end(OK, Usage(4_000, 5, tells_cached=tells_cached))
    assert tells_cached == (world.rules.index.blocks(EndpointId("local-0")) < 8)


def test_an_estimate_of_usage_teaches_nothing() -> None:
    world = World(local=1)
    pick_of(world.route(LOCAL, call=PROMPT)).lease.end(OK, Usage(1_500, 100, is_exact=False))
    assert [] == world.seen.counted


def test_a_first_token_teaches_the_forecast() -> None:
    world = World(local=1)
    pick = pick_of(world.route(LOCAL, call=PROMPT))
    world.now = 2.0
    pick.lease.commit()
    assert [("local-0", 2.0)] == world.seen.first_tokens
    assert world.rules.picker("local").forecast.bias(EndpointId("local-0")) > 1.0


def test_the_first_byte_of_a_whole_answer_says_nothing_of_the_prompt() -> None:
    world = World(local=1)
    pick = pick_of(world.route(LOCAL))
    world.now = 2.0
    pick.lease.commit()
    assert [] == world.seen.first_tokens


def test_an_endpoint_that_was_asked_for_an_adapter_is_believed_to_have_it() -> None:
    tuned = Pool("local", "m", "m-tuned", adapter="m-tuned")
    world = World(local=2, adapter="m-tuned")
    first = pick_of(world.route(tuned))
    first.lease.end(OK)
    second = pick_of(world.route(tuned))
    assert [0.0, 0.5] == sorted(second.decision.candidates.delays)
    assert first.attempt.endpoint == second.attempt.endpoint


LATE = AdmissionSettings(first_token_s=1.0, saturated_s=None)


def test_what_cannot_be_begun_in_time_is_refused_with_the_time_to_come_back() -> None:
    world = World(local=1, admission=LATE)
    pick_of(world.route(LOCAL, call=Call("m", prompt_tokens=3_000)))
    refused = ended(world.route(LOCAL))
    assert Refusal(0, retry_after_s=pytest.approx(3.0 - (0.52 * 1.0 - 0.1)), reason=Reason.LATE) == refused


def test_another_pool_that_is_in_time_is_used_instead() -> None:
    world = World(local=1, spare=1, admission=LATE)
    pick_of(world.route(LOCAL, call=Call("m", prompt_tokens=3_000)))
    assert SPARE == pick_of(world.route(LOCAL, SPARE)).attempt.pool


def test_critical_calls_are_sent_nevertheless() -> None:
    world = World(local=1, admission=LATE)
    pick_of(world.route(LOCAL, call=Call("m", prompt_tokens=3_000)))
    assert 1 == pick_of(world.route(LOCAL, call=Call("m", priority=Priority.CRITICAL))).attempt.number


SATURATED = AdmissionSettings(saturated_s=1.0)
LONG = Call("m", prompt_tokens=3_000)


def waiting(attempts: Route) -> Wait:
    step = next(attempts)
    assert isinstance(step, Wait)
    return step


def test_a_call_waits_while_every_endpoint_is_saturated_and_goes_on_in_its_turn() -> None:
    world = World(local=1, admission=SATURATED)
    first = pick_of(world.route(LOCAL, call=LONG))
    attempts = world.route(LOCAL)
    wait = waiting(attempts)
    assert not has_room("local", world.rules, 0.0)
    first.lease.commit()
    assert has_room("local", world.rules, 0.0)
    assert wait.ticket == world.rules.queue("local").pop(0.0)
    assert isinstance(attempts.send(None), Pick)


def test_nobody_overtakes_those_who_wait() -> None:
    world = World(local=1, admission=SATURATED)
    first = pick_of(world.route(LOCAL, call=LONG))
    waiting(world.route(LOCAL))
    first.lease.commit()
    waiting(world.route(LOCAL))
    assert 2 == len(world.rules.queue("local"))


def test_who_waits_in_vain_is_refused_and_no_engine_hears_of_it() -> None:
    world = World(local=1, admission=SATURATED)
    pick_of(world.route(LOCAL, call=LONG))
    attempts = world.route(LOCAL)
    wait = waiting(attempts)
    world.now = wait.longest_s
    world.rules.queue("local").expire(world.now)
    assert (Fate.EXPIRED, Refusal(0, reason=Reason.EXPIRED)) == (wait.ticket.fate, ended(attempts))
    assert 1 == world.streams()


def test_a_retry_does_not_wait() -> None:
    world = World(local=2, admission=SATURATED)
    attempts = world.route(LOCAL)
    first = pick_of(attempts)
    for _ in range(2):
        pick_of(world.route(LOCAL, call=LONG))
    assert 2 == fail(attempts, first, REFUSED).attempt.number


def test_a_full_queue_refuses() -> None:
    world = World(local=1, admission=SATURATED)
    pick_of(world.route(LOCAL, call=LONG))
    refused = None
    for _ in range(1_000):
        attempts = world.route(LOCAL, call=Call("m"))
        try:
            next(attempts)
        except StopIteration as stop:
            refused = stop.value
            break
    assert Refusal(0, reason=Reason.FULL) == refused


def test_what_waits_already_counts_for_the_time_that_is_left() -> None:
    world = World(local=1, admission=AdmissionSettings(first_token_s=18.0, saturated_s=1.0))
    pick_of(world.route(LOCAL, call=LONG))
    waiting(world.route(LOCAL, call=LONG))
    waiting(world.route(LOCAL, call=LONG))
    assert Reason.LATE is ended(world.route(LOCAL, call=LONG)).reason


def test_before_the_first_endpoint_is_up_calls_wait_for_it() -> None:
    world = World(local=0, waiting_room_s=30.0)
    attempts = world.route(LOCAL)
    wait = waiting(attempts)
    assert (30.0, False) == (wait.longest_s, has_room("local", world.rules, 0.0))
    world.fleet["local"].append(Endpoint(EndpointId("new"), "http://new"))
    assert has_room("local", world.rules, 0.0)
    world.rules.queue("local").pop(0.0)
    step = attempts.send(None)
    assert isinstance(step, Pick)
    assert "new" == step.attempt.endpoint.id


@pytest.mark.parametrize(("common_s", "own_s"), [(30.0, 900.0), (0.0, 5.0)])
def test_a_pool_may_have_a_waiting_room_of_its_own(common_s: float, own_s: float) -> None:
    world = World(local=0, waiting_room_s=common_s)
    world.rules = replace(world.rules, waiting_rooms={"local": own_s})
    assert own_s == waiting(world.route(LOCAL)).longest_s
    world.rules = replace(world.rules, waiting_rooms={"local": 0.0})
    assert ended(world.route(LOCAL)).reason is None


def test_who_has_waited_for_the_first_endpoint_is_not_refused_for_having_waited() -> None:
    world = World(local=0, waiting_room_s=30.0, admission=LATE)
    attempts = world.route(LOCAL)
    waiting(attempts)
    world.now = 9.0
    world.fleet["local"].append(Endpoint(EndpointId("new"), "http://new"))
    world.rules.queue("local").pop(world.now)
    assert isinstance(attempts.send(None), Pick)


def test_who_waits_in_vain_for_the_first_endpoint_is_refused() -> None:
    world = World(local=0, waiting_room_s=30.0)
    attempts = world.route(LOCAL)
    wait = waiting(attempts)
    world.rules.queue("local").remove(wait.ticket)
    assert Reason.EXPIRED is ended(attempts).reason


def test_the_callers_patience_bounds_the_wait_for_the_first_token_of_a_stream() -> None:
    world = World(local=1)
    limits = pick_of(world.route(LOCAL, call=Call("m", stream=True, first_token_s=3.0))).attempt.deadlines
    assert (3.0, 10.0) == (limits.first_token_s, limits.total_s)


def test_of_a_whole_answer_it_bounds_all() -> None:
    world = World(local=1)
    limits = pick_of(world.route(LOCAL, call=Call("m", first_token_s=3.0))).attempt.deadlines
    assert (3.0, 3.0) == (limits.first_token_s, limits.total_s)


def test_a_stream_whose_caller_has_lost_patience_is_not_sent_again() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL, call=Call("m", stream=True, first_token_s=3.0))
    pick = pick_of(attempts)
    world.now = 3.0
    assert 1 == refusal(attempts, pick, REFUSED).attempts


HEDGED = HedgeSettings(enabled=True, ratio=1.0)


def learnt(world: World, ratio: float) -> None:
    for _ in range(100):
        world.rules.hedges("local").learn(1.0, ratio)


def test_a_late_stream_gets_a_second_attempt_elsewhere() -> None:
    world = World(local=2, hedge=HEDGED)
    learnt(world, 1.5)
    pick = pick_of(world.route(LOCAL, call=PROMPT))
    world.now = 4.0
    other = hedge(PROMPT, pick, 0.0, world.rules, lambda: world.now)
    assert other is not None
    assert pick.attempt.endpoint != other.attempt.endpoint
    assert (True, 1, 6.0) == (other.attempt.is_hedge, other.attempt.number, other.attempt.deadlines.total_s)
    for each in (pick, other):
        each.lease.end(OK)
    assert 0 == world.streams()


def test_without_another_endpoint_or_before_it_is_late_there_is_no_second() -> None:
    alone, early = World(local=1, hedge=HEDGED), World(local=2, hedge=HEDGED)
    for world in (alone, early):
        learnt(world, 1.5)
        pick = pick_of(world.route(LOCAL, call=PROMPT))
        assert hedge(PROMPT, pick, 0.0, world.rules, lambda: 0.1) is None
        assert 1 == world.streams()


OTHER = Pool("other", "n", "n")
REJECTED = Outcome(Verdict.REJECTED, 400)


def test_what_one_model_refuses_the_next_may_take() -> None:
    world = World(local=2, spare=1, other=1)
    attempts = world.route(LOCAL, SPARE, OTHER)
    assert OTHER == fail(attempts, pick_of(attempts), REJECTED).attempt.pool


def test_what_a_model_refuses_is_not_asked_of_its_other_pools_though_they_come_later() -> None:
    world = World(local=1, spare=1, other=1)
    attempts = world.route(LOCAL, OTHER, SPARE)
    second = fail(attempts, pick_of(attempts), REJECTED)
    assert refusal(attempts, second, REJECTED) == Refusal(2, REJECTED, OTHER, earlier=(Failure(LOCAL, REJECTED),))


def test_a_broken_answer_goes_on_with_the_next_model_too() -> None:
    world = World(local=2, other=1)
    attempts = world.route(LOCAL, OTHER)
    assert OTHER == fail(attempts, pick_of(attempts), Outcome(Verdict.BROKEN)).attempt.pool


def test_a_bad_request_uses_up_no_retries_of_others() -> None:
    world = World(local=1, other=1, floor_per_s=0.0)
    attempts = world.route(LOCAL, OTHER)
    assert OTHER == fail(attempts, pick_of(attempts), REJECTED).attempt.pool
    broken = world.route(LOCAL, OTHER)
    assert LOCAL == refusal(broken, pick_of(broken), Outcome(Verdict.BROKEN)).last_pool


def test_when_the_client_has_gone_no_other_model_is_asked() -> None:
    world = World(local=1, other=1)
    attempts = world.route(LOCAL, OTHER)
    gone = Outcome(Verdict.CANCELLED)
    assert Refusal(1, gone, LOCAL) == refusal(attempts, pick_of(attempts), gone)


def test_the_last_failure_is_told_with_all_before_it() -> None:
    world = World(local=1, spare=1, other=1)
    attempts = world.route(LOCAL, SPARE, OTHER)
    third = fail(attempts, fail(attempts, pick_of(attempts), REFUSED), REJECTED)
    assert Refusal(3, BUSY, OTHER, 7.0, earlier=(Failure(LOCAL, REFUSED), Failure(SPARE, REJECTED))) == refusal(
        attempts, third, BUSY
    )


def saturate(world: World, *pools: Pool) -> None:
    for pool in pools:
        pick_of(world.route(pool, call=LONG))


def test_a_saturated_pool_is_not_waited_for_while_another_of_its_model_has_room() -> None:
    world = World(admission=SATURATED, local=1, spare=1, other=1)
    saturate(world, LOCAL)
    assert SPARE == pick_of(world.route(LOCAL, SPARE)).attempt.pool
    assert 0 == len(world.rules.queue("local"))
    assert LOCAL == waiting(world.route(LOCAL, OTHER)).pool


def test_when_all_are_saturated_the_first_is_waited_for() -> None:
    world = World(admission=SATURATED, local=1, spare=1)
    saturate(world, LOCAL, SPARE)
    assert LOCAL == waiting(world.route(LOCAL, SPARE)).pool


def test_a_pool_that_was_passed_over_is_tried_when_the_others_have_failed() -> None:
    world = World(admission=SATURATED, local=1, spare=1)
    saturate(world, LOCAL)
    attempts = world.route(LOCAL, SPARE)
    assert LOCAL == fail(attempts, pick_of(attempts), REFUSED).attempt.pool


def test_pools_are_measured_by_what_their_attempts_came_to() -> None:
    world = World(local=2, spare=1)
    performance = world.rules.performance
    attempts = world.route(LOCAL, SPARE, call=PROMPT)
    second = fail(attempts, pick_of(attempts), REFUSED)
    world.now = 2.0
    second.lease.commit()
    world.now = 4.0
    second.lease.end(OK, Usage(1_000, 100))
    first_token, speed = performance.latency("local", 4.0, 300.0), performance.throughput("local", 4.0, 300.0)
    assert first_token is not None
    assert speed is not None
    assert [2.0, 25.0] == pytest.approx([first_token.p50, speed.p50], rel=0.05)
    assert 0.5 == performance.uptime("local", 4.0, 300.0)
    assert performance.uptime("spare", 4.0, 300.0) is None


@pytest.mark.parametrize(
    ("outcome", "usage", "seconds"),
    [
        (OK, None, 1.0),
        (OK, Usage(10, 5, is_exact=False), 1.0),
        (OK, Usage(10, 0), 1.0),
        (OK, Usage(10, 5), 0.0),
        (Outcome(Verdict.BROKEN), Usage(10, 5), 1.0),
    ],
)
def test_only_whole_answers_that_were_counted_have_a_speed(
    outcome: Outcome, usage: Usage | None, seconds: float
) -> None:
    world = World(local=1)
    pick = pick_of(world.route(LOCAL))
    world.now = seconds
    pick.lease.end(outcome, usage)
    assert world.rules.performance.throughput("local", seconds, 300.0) is None
