"""Whole fleets on small traffic: nothing is lost, what is known helps, and the same seed gives the same run."""

from dataclasses import replace
from itertools import islice

import pytest

from bench.fleet.gossip import Several
from bench.fleet.router import Policy
from bench.fleet.simulate import Fleet, simulate
from bench.fleet.tally import Promise, Result
from bench.physics.hardware import hardware
from bench.traces.arrival import Arrival, chain
from bench.traces.find import find
from bench.traces.generate import generate
from router.policy.admission import AdmissionSettings
from router.policy.forecast import ForecastSettings

H200 = hardware("h200")
FLEET = Fleet(H200, replicas=4)
KNOWS_RATE = ForecastSettings(prefill_tokens_per_s=H200.peak_rate(2048))
POLICY = Policy(forecast=KNOWS_RATE)
SHEDDING = replace(POLICY, admission=AdmissionSettings(first_token_s=2.0))


def chats(count: int, rate: float, seed: int = 5) -> list[Arrival]:
    return list(islice(generate(seed, rate), count))


def figures(result: Result) -> Result:
    """Without what depends on the machine that ran it."""
    return replace(result, decision_s=(0.0, 0.0))


BUSY = chats(1500, rate=3.4)


def test_a_request_alone_takes_the_time_of_its_prompt_and_its_tokens() -> None:
    result = simulate(FLEET, [Arrival(0.0, 1000, 11)], POLICY)
    first_s = H200.step.seconds([(1000, 0)], 0, 0)
    rest_s = sum(H200.step.seconds([], 1, 1000 + number) for number in range(1, 11))
    assert pytest.approx(first_s) == result.first_token_s[0]
    assert pytest.approx(rest_s / 10) == result.pace_s[0]
    assert (1, 1, 0, 0, 1011) == (result.offered, result.good, result.shed, result.lost, result.good_tokens)


def test_nothing_is_lost_and_the_same_seed_gives_the_same_run() -> None:
    one, again = (simulate(FLEET, BUSY, POLICY, seed=1) for _ in range(2))
    assert (1500, 0, 0) == (one.offered, one.shed, one.lost)
    assert figures(one) == figures(again)
    assert 0.5 < one.goodput <= 1


def test_the_default_keeps_more_good_than_counting_requests_or_taking_turns() -> None:
    crowded = chats(2000, rate=3.9)
    shares = {
        name: simulate(FLEET, crowded, replace(POLICY, balancer=name)).goodput
        for name in ("shadow-price", "least-request", "round-robin")
    }
    assert shares["shadow-price"] > max(shares["least-request"], shares["round-robin"]) + 0.1


@pytest.mark.parametrize("name", ["lmetric", "sticky-until-saturated", "power-of-two", "prefix-hash"])
def test_every_algorithm_can_be_run(name: str) -> None:
    result = simulate(FLEET, BUSY[:300], replace(POLICY, balancer=name))  # type: ignore[arg-type]
    assert (300, 0) == (result.offered, result.lost)


def test_telling_the_caches_finds_at_least_as_much_as_believing_in_what_was_sent() -> None:
    light = chats(1500, rate=2.0)
    told = simulate(FLEET, light, replace(POLICY, is_exact=True))
    believed = simulate(FLEET, light, POLICY)
    assert told.hit > believed.hit - 0.01
    assert believed.hit > 0.08


def test_several_routers_that_hear_each_other_do_nearly_as_well_as_one_and_deaf_ones_worse() -> None:
    crowded = chats(1500, rate=3.7)
    one = simulate(FLEET, crowded, POLICY)
    hearing = simulate(replace(FLEET, routers=Several(4, loss=0.01)), crowded, POLICY)
    deaf = simulate(replace(FLEET, routers=Several(4, has_bus=False)), crowded, POLICY)
    assert 0 == hearing.lost == deaf.lost
    assert hearing.goodput > one.goodput - 0.05
    assert deaf.goodput < hearing.goodput


def test_overload_is_shed_and_the_rest_stays_good() -> None:
    flood = chats(2000, rate=4.8)
    taken, shed = simulate(FLEET, flood, POLICY), simulate(FLEET, flood, SHEDDING)
    assert (0, 0) == (taken.shed, taken.lost + shed.lost)
    assert shed.shed > 0
    assert shed.goodput > taken.goodput
    assert shed.first_token_s[2] < taken.first_token_s[2]


def test_those_that_wait_in_the_router_go_on_or_are_refused() -> None:
    eager = replace(POLICY, admission=AdmissionSettings(first_token_s=5.0, saturated_s=0.05))
    result = simulate(replace(FLEET, replicas=1), chats(300, rate=2.0), eager)
    assert result.most_waiting > 0
    assert (300, 0) == (result.offered, result.lost)


def test_what_no_engine_can_hold_is_refused() -> None:
    result = simulate(
        replace(FLEET, hardware=hardware("h100")), [Arrival(0.0, 150_000, 10), Arrival(1.0, 10, 2)], POLICY
    )
    assert (2, 1, 1, 0) == (result.offered, result.shed, result.good, result.lost)


def test_a_slow_replica_harms_those_who_count_tokens_less_than_those_who_take_turns() -> None:
    limping, light = replace(FLEET, slow={0: 3.0}), chats(1500, rate=2.4)
    counting = simulate(limping, light, POLICY).goodput
    assert counting > simulate(limping, light, replace(POLICY, balancer="round-robin")).goodput + 0.1
    assert counting < simulate(FLEET, light, POLICY).goodput


def test_a_repeated_prompt_is_cached_all_but_a_token() -> None:
    prompt = chain((1, 2, 3), 1500, 512)
    result = simulate(FLEET, [Arrival(float(10 * number), 1500, 2, prompt) for number in range(4)], POLICY)
    assert pytest.approx(3 * 1499 / (4 * 1500)) == result.hit


def test_the_promise_decides_what_is_good() -> None:
    strict, lax = (
        simulate(FLEET, BUSY[:300], POLICY, promise=Promise(first, 2.0, pace), paces=(0.001, 10.0))
        for first, pace in ((0.05, 0.02), (1000.0, 10.0))
    )
    assert 1.0 == lax.goodput == lax.good_at_pace[10.0]
    assert lax.good_at_pace[0.001] < 0.2
    assert strict.goodput < 1.0
    assert lax.cost(8.0) < strict.cost(8.0)


def test_nobody_there_costs_nothing_known() -> None:
    nobody = simulate(FLEET, [], POLICY)
    assert (0, 0.0, 0.0, float("inf")) == (nobody.offered, nobody.goodput, nobody.shed_share, nobody.cost(1.0))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Fleet(H200, 0), "replicas must be at least 1"),
        (lambda: Several(0), "count must be at least 1"),
        (lambda: Several(2, period_s=0), "period_s must be above 0"),
        (lambda: Several(2, loss=1.0), "loss must be from 0"),
        (lambda: Promise(pace_s=0), "pace_s must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(make: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()  # type: ignore[operator]


def test_of_an_hour_of_chats_on_an_overloaded_fleet_no_request_is_lost() -> None:
    trace = find("conversation").at(2.25)
    result = simulate(Fleet(H200, 8), trace.stream(0), POLICY)
    assert (sum(1 for _ in trace.stream(0)), 0) == (result.offered, result.lost)
