import math
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.policy.adapters import LOADING_S, Adapters
from router.policy.admission import Admission, AdmissionSettings
from router.policy.apart import Apart
from router.policy.balancers import BalancerSettings, Name, make
from router.policy.call import Call, Prefix, Priority
from router.policy.forecast import Forecast, ForecastSettings
from router.policy.load import Load, TokenLoad
from router.policy.picker import Picker
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.policy.slow_start import SlowStart, SlowStartSettings
from tests.router.policy.columns import fleet

PREFIX = Prefix((11, 22, 33), (400, 800, 1000))
CALL = Call("m", prompt_tokens=1000, prefix=PREFIX)
TEN_S = AdmissionSettings(first_token_s=10.0, normal_margin=1.0)


class World:
    """A picker for engines that compute 1,000 tokens per second, and all it knows."""

    def __init__(
        self,
        balancer: Name = "shadow-price",
        admission: AdmissionSettings = TEN_S,
        adapter: str | None = None,
        seed: int = 1,
        is_alone: bool = False,
    ) -> None:
        self.forecast = Forecast(ForecastSettings(prefill_tokens_per_s=1000.0, overhead_s=0.0))
        self.load = TokenLoad()
        self.index = PrefixIndex(PrefixSettings())
        self.slow_start = SlowStart(SlowStartSettings())
        self.adapters = Adapters()
        rng = Random(seed)
        self.picker = Picker(
            name=balancer,
            balancer=make(balancer, BalancerSettings(), rng),
            admission=Admission(admission, 60.0),
            forecast=self.forecast,
            load=self.load,
            index=self.index,
            slow_start=self.slow_start,
            adapters=self.adapters,
            rng=rng,
            adapter=adapter,
            apart=Apart(seed, lambda now: is_alone),
        )

    def queue(self, *tokens: int) -> None:
        """So many tokens at each endpoint."""
        for endpoint, count in zip(fleet(len(tokens)), tokens, strict=True):
            self.load.take(endpoint.id, count, 0)


def test_a_router_that_hears_no_other_likes_some_endpoints_better() -> None:
    assert [1.0] * 8 == World().picker.candidates(fleet(8), CALL, 0.0).warmth
    chosen = {World(seed=seed, is_alone=True).picker.decide(fleet(8), CALL, 0.0).row for seed in range(20)}
    again = {World(seed=3, is_alone=True).picker.decide(fleet(8), CALL, 0.0).row for _ in range(5)}
    assert (True, 1) == (len(chosen) > 3, len(again))


def test_the_only_endpoint_is_taken() -> None:
    (only,) = fleet(1)
    decision = World().picker.decide([only], CALL, 0.0)
    assert (only, 0, 0.0, 1.0, 1.0) == (
        decision.endpoint,
        decision.cached_tokens,
        decision.wait_s,
        decision.own_s,
        decision.predicted_s,
    )
    assert decision.late_s == -9.0


def test_a_decision_keeps_what_it_was_made_with() -> None:
    world, endpoints = World(), fleet(2)
    first, second = endpoints
    world.load.take(first.id, 500, 0)
    world.load.set_peers(first.id, Load(queued=100, streams=2, context=0))
    world.load.correct(first.id, running=4, waiting=0)
    world.load.correct(first.id, running=4, waiting=0)
    world.index.add(second.id, (11, 22))
    decision = world.picker.decide(endpoints, CALL, 0.0)
    seen = decision.candidates
    assert ([600, 0], [4, 0], [0, 800]) == (seen.queued, seen.streams, seen.cached)
    assert ([1000.0] * 2, [1.0] * 2, [0.0] * 2) == (seen.rates, seen.warmth, seen.delays)
    assert (second, 1, 800, "shadow-price") == (
        decision.endpoint,
        decision.row,
        decision.cached_tokens,
        world.picker.balancer,
    )
    assert min(decision.costs) == decision.costs[1]
    assert (0.0, 0.2, 0.0) == pytest.approx((decision.wait_s, decision.own_s, decision.shortest_wait_s))


def test_of_a_prompt_that_is_cached_whole_one_token_is_computed() -> None:
    world, endpoints = World(), fleet(2)
    world.index.add(endpoints[1].id, (11, 22, 33))
    assert 999 == world.picker.decide(endpoints, CALL, 0.0).cached_tokens


def test_an_estimate_below_the_blocks_counts_no_more_than_the_prompt() -> None:
    world, endpoints = World(), fleet(1)
    world.index.add(endpoints[0].id, (11, 22, 33))
    assert [499, 0] == [
        world.picker.decide(endpoints, Call("m", prompt_tokens=tokens, prefix=PREFIX), 0.0).cached_tokens
        for tokens in (500, 0)
    ]


def test_a_replica_that_warms_up_gets_less() -> None:
    world, endpoints = World("least-request"), fleet(2)
    world.slow_start.began(endpoints[0].id, 0.0)
    decision = world.picker.decide(endpoints, CALL, 3.0)
    assert ([0.1, 1.0], 1) == (decision.candidates.warmth, decision.row)


def test_who_has_the_adapter_goes_first() -> None:
    world, endpoints = World(adapter="french"), fleet(2)
    world.adapters.told(endpoints[1].id, ["french"])
    decision = world.picker.decide(endpoints, CALL, 0.0)
    assert ([LOADING_S, 0.0], 1) == (decision.candidates.delays, decision.row)


def test_the_time_to_load_an_adapter_is_part_of_the_wait() -> None:
    decision = World(adapter="french").picker.decide(fleet(1), CALL, 0.0)
    assert (LOADING_S, 1.0) == (decision.wait_s, decision.own_s)


def test_where_nobody_is_in_time_the_decision_says_by_how_much() -> None:
    world = World()
    world.queue(12_000, 11_000)
    decision = world.picker.decide(fleet(2), CALL, 0.0)
    # one second of its own: the first would begin 3 s too late, the second 2 s
    assert (2.0, 11.0) == (decision.late_s, decision.shortest_wait_s)


def test_the_only_endpoint_may_be_late_as_well() -> None:
    world = World()
    world.queue(12_000)
    assert 3.0 == world.picker.decide(fleet(1), CALL, 0.0).late_s


def test_what_was_waited_already_counts() -> None:
    picker = World().picker
    assert [0.0, 1.0] == [picker.decide(fleet(2), CALL, 0.0, spent_s=spent_s).late_s for spent_s in (9.0, 10.0)]


def test_if_the_cheapest_is_late_the_cheapest_of_those_in_time_is_taken() -> None:
    world = World("least-request")
    world.queue(9_500, 5_000, 4_000)
    for endpoint in fleet(3)[1:]:
        world.load.take(endpoint.id, 0, 0)
    world.load.take(fleet(3)[1].id, 0, 0)
    decision = world.picker.decide(fleet(3), CALL, 0.0)
    assert ([math.inf, 4.0, 3.0], 2) == (decision.costs, decision.row)
    assert (4.0, 1.0, -5.0) == (decision.wait_s, decision.own_s, decision.late_s)


def test_if_the_algorithm_wants_none_of_those_in_time_the_least_late_is_taken() -> None:
    world = World("sticky-until-saturated")
    world.index.add(fleet(3)[0].id, PREFIX.hashes)
    world.queue(12_000, 6_000, 5_000)
    decision = world.picker.decide(fleet(3), CALL, 0.0)
    assert ([math.inf, -3.0, -4.0], 2) == (decision.costs, decision.row)
    assert (5.0, 1.0) == (decision.wait_s, decision.own_s)


def test_an_engine_known_to_be_slow_is_late_sooner() -> None:
    world = World()
    world.queue(7_000)
    for _ in range(200):
        world.forecast.learn(fleet(1)[0].id, tokens=1, predicted_s=1.0, actual_s=2.0)
    assert world.picker.decide(fleet(1), CALL, 0.0).late_s > 0


def test_the_shortest_wait_and_the_rate_of_all_are_told() -> None:
    world = World()
    world.queue(3_000, 2_000)
    assert (2.0, 2000.0) == (world.picker.shortest_wait_s(fleet(2)), world.picker.total_rate(fleet(2)))


@settings(deadline=None)
@pytest.mark.parametrize("name", get_args(Name))
@given(
    queued=st.lists(st.integers(0, 30_000), min_size=1, max_size=12),
    depths=st.lists(st.integers(0, 3), min_size=12, max_size=12),
    tokens=st.integers(0, 20_000),
    priority=st.sampled_from(Priority),
    asked_s=st.one_of(st.none(), st.floats(0, 30)),
    seed=st.integers(0, 2**32),
)
def test_a_pick_is_always_a_candidate_and_in_time_if_any_is(
    name: Name,
    queued: list[int],
    depths: list[int],
    tokens: int,
    priority: Priority,
    asked_s: float | None,
    seed: int,
) -> None:
    world, endpoints = World(name, AdmissionSettings(first_token_s=10.0), seed=seed), fleet(len(queued))
    world.queue(*queued)
    for endpoint, depth in zip(endpoints, depths, strict=False):
        world.index.add(endpoint.id, PREFIX.hashes[:depth])
    call = Call("m", prompt_tokens=tokens, prefix=PREFIX, priority=priority, first_token_s=asked_s)
    decision = world.picker.decide(endpoints, call, 0.0)
    assert endpoints[decision.row] is decision.endpoint
    assert math.isfinite(decision.costs[decision.row])
    if decision.late_s <= 0:
        whole_s = world.forecast.idle_s(call.prompt_tokens)
        streams = [decision.candidates.streams[decision.row]]
        (longest_s,) = world.picker.admission.longest_waits(call, [decision.own_s], whole_s, streams)
        assert decision.wait_s <= longest_s + 1e-9
    else:
        for endpoint in endpoints:
            alone = world.picker.decide([endpoint], call, 0.0)
            assert alone.late_s >= decision.late_s - 1e-9
