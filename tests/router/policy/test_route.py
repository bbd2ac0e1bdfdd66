"""The flow of attempts, driven by hand: no I/O, no clock but a number."""

import random
from collections.abc import Generator

import pytest

from router.policy.attempt import Attempt
from router.policy.breaker import BreakerSettings
from router.policy.breakers import Breakers
from router.policy.call import Call
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.lease import Pick
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.power_of_two import PowerOfTwo
from router.policy.retry import RetryPolicy, RetrySettings
from router.policy.retry_budget import RetryBudget, RetryBudgetSettings
from router.policy.route import EXPECTED_COMPLETION_TOKENS, Refusal, Rules, route

LOCAL = Pool("local", "m", "m")
SPARE = Pool("spare", "m", "m")
OK = Outcome(Verdict.OK)
REFUSED = Outcome(Verdict.UNAVAILABLE, detail="connection refused")
BUSY = Outcome(Verdict.OVERLOADED, 503, retry_after_s=7.0)
CALL = Call("m", prompt_tokens=100, max_tokens=50)


class World:
    """Everything a route decides with, the time at hand, and what was settled."""

    def __init__(self, *, floor_per_s: float = 10.0, max_attempts: int = 3, **endpoints: int) -> None:
        self.now = 0.0
        self.settled: list[tuple[int, Verdict]] = []
        self.fleet = {
            pool: [Endpoint(EndpointId(f"{pool}-{i}"), f"http://{pool}-{i}") for i in range(size)]
            for pool, size in endpoints.items()
        }
        self.load = TokenLoad()
        balancer = PowerOfTwo(self.load, random.Random(1))
        self.rules = Rules(
            endpoints=lambda pool: self.fleet[pool],
            balancer=lambda pool: balancer,
            deadlines=lambda pool: Deadlines(total_s=10.0),
            breakers=Breakers(BreakerSettings()),
            load=self.load,
            retry=RetryPolicy(RetrySettings(max_attempts=max_attempts)),
            retry_budget=RetryBudget(RetryBudgetSettings(floor_per_s=floor_per_s)),
            settle=self.settle,
        )

    def settle(self, attempt: Attempt, outcome: Outcome, usage: Usage | None) -> None:
        self.settled.append((attempt.number, outcome.verdict))

    def route(self, *pools: Pool, call: Call = CALL) -> Generator[Pick, Outcome, Refusal]:
        return route(call, pools, self.rules, lambda: self.now)

    def outstanding(self) -> int:
        return sum(self.load.outstanding(endpoint.id) for pool in self.fleet.values() for endpoint in pool)


def fail(attempts: Generator[Pick, Outcome, Refusal], pick: Pick, outcome: Outcome) -> Pick:
    pick.lease.end(outcome)
    return attempts.send(outcome)


def refusal(attempts: Generator[Pick, Outcome, Refusal], pick: Pick, outcome: Outcome) -> Refusal:
    with pytest.raises(StopIteration) as stop:
        fail(attempts, pick, outcome)
    assert isinstance(stop.value.value, Refusal)
    return stop.value.value


def test_an_attempt_holds_its_tokens_until_it_ends() -> None:
    world = World(local=1)
    pick = next(world.route(LOCAL))
    assert world.outstanding() == 150
    pick.lease.commit()
    assert world.outstanding() == 50
    pick.lease.end(OK)
    assert world.outstanding() == 0
    assert world.settled == [(1, Verdict.OK)]


def test_a_call_without_max_tokens_counts_as_an_ordinary_answer() -> None:
    world = World(local=1)
    next(world.route(LOCAL, call=Call("m")))
    assert world.outstanding() == EXPECTED_COMPLETION_TOKENS


def test_a_refused_attempt_goes_on_at_another_endpoint() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    first = next(attempts)
    second = fail(attempts, first, REFUSED)
    assert second.attempt.number == 2
    assert first.attempt.endpoint != second.attempt.endpoint


def test_when_a_pool_is_used_up_the_next_is_tried() -> None:
    world = World(local=1, spare=1)
    attempts = world.route(LOCAL, SPARE)
    second = fail(attempts, next(attempts), REFUSED)
    assert second.attempt.pool == SPARE


def test_a_pool_gets_no_more_attempts_than_the_policy_allows() -> None:
    world = World(local=4, spare=1, max_attempts=2)
    attempts = world.route(LOCAL, SPARE)
    second = fail(attempts, next(attempts), REFUSED)
    third = fail(attempts, second, REFUSED)
    assert (second.attempt.pool, third.attempt.pool) == (LOCAL, SPARE)


def test_the_clients_own_fault_is_not_retried() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    rejected = Outcome(Verdict.REJECTED, 400)
    assert refusal(attempts, next(attempts), rejected) == Refusal(1, rejected, LOCAL)


def test_the_refusal_tells_the_earliest_time_to_come_back() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    later = Outcome(Verdict.OVERLOADED, 503, retry_after_s=9.0)
    second = fail(attempts, next(attempts), later)
    assert refusal(attempts, second, BUSY) == Refusal(2, BUSY, LOCAL, 7.0)


def test_endpoints_that_asked_for_a_pause_are_not_tried_before_it_is_over() -> None:
    world = World(local=1)
    attempts = world.route(LOCAL)
    refusal(attempts, next(attempts), BUSY)
    world.now = 1.0
    with pytest.raises(StopIteration) as stop:
        next(world.route(LOCAL))
    assert stop.value.value == Refusal(0, retry_after_s=6.0)
    world.now = 7.5
    assert next(world.route(LOCAL)).attempt.number == 1


def test_a_pool_without_endpoints_is_passed_over() -> None:
    world = World(local=0, spare=1)
    assert next(world.route(LOCAL, SPARE)).attempt.pool == SPARE


def test_without_any_endpoint_no_attempt_is_made() -> None:
    with pytest.raises(StopIteration) as stop:
        next(World(local=0).route(LOCAL))
    assert stop.value.value == Refusal(0)


def test_an_empty_retry_budget_passes_the_error_on() -> None:
    world = World(local=2, floor_per_s=0.0)
    attempts = world.route(LOCAL)
    assert refusal(attempts, next(attempts), REFUSED) == Refusal(1, REFUSED, LOCAL)


def test_no_attempt_begins_when_the_requests_time_is_over() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    pick = next(attempts)
    world.now = 10.0
    late = Outcome(Verdict.TIMEOUT)
    assert refusal(attempts, pick, late) == Refusal(1, late, LOCAL)


def test_a_later_attempt_has_only_the_time_that_is_left() -> None:
    world = World(local=2)
    attempts = world.route(LOCAL)
    pick = next(attempts)
    world.now = 8.0
    second = fail(attempts, pick, Outcome(Verdict.TIMEOUT))
    assert second.attempt.deadlines == Deadlines(connect_s=1.0, first_token_s=2.0, idle_s=2.0, total_s=2.0)
