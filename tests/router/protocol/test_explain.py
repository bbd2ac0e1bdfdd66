"""How a request was routed, told to whoever asks."""

import json
import math
from typing import Any

import pytest

from router.policy.attempt import Attempt
from router.policy.call import Call
from router.policy.candidates import Candidates
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.draft import Exclusion
from router.policy.model_names import Strategy
from router.policy.outcome import Outcome, Verdict
from router.policy.picker import Decision
from router.policy.preferences import Cutoffs, Preferences
from router.protocol.explain import SHOWN, Tried, log_line, name_of, router_metadata

HERE = Pool("here", "m", "served")
THERE = Pool("there", "m", "served", provider="openrouter")
CALL = Call("m", prompt_tokens=100)


def tried(
    *, cached: list[int], queued: list[int], row: int = 0, pool: Pool = HERE, outcome: Outcome | None = None
) -> Tried:
    count = len(cached)
    endpoints = [Endpoint(EndpointId(f"10.0.0.{i}:8000"), f"http://10.0.0.{i}:8000") for i in range(count)]
    columns = Candidates(endpoints, queued, [1] * count, cached, [1_000.0] * count, [1.0] * count, [0.0] * count)
    costs = [0.5 if each == row else math.inf for each in range(count)]
    decision = Decision(row, columns, costs, wait_s=0.2, own_s=0.1)
    return Tried(Attempt(1, pool, endpoints[row], Deadlines()), decision, "shadow-price", outcome)


def routing(one: Tried) -> dict[str, Any]:
    told: Any = router_metadata(CALL, [HERE], [one])["routing"]
    return dict(told[0])


def test_openrouters_keys_are_all_there() -> None:
    told = router_metadata(CALL, [HERE, THERE], [tried(cached=[0], queued=[0])])
    assert {
        "requested": "m",
        "strategy": "direct",
        "region": None,
        "summary": "available=2, selected=local",
        "attempt": 1,
        "is_byok": False,
        "endpoints": {
            "total": 2,
            "available": [
                {"provider": "local", "model": "m", "selected": True},
                {"provider": "openrouter", "model": "m", "selected": False},
            ],
        },
        "attempts": [{"provider": "local", "model": "m", "status": 200}],
    } == {key: value for key, value in told.items() if key != "routing"}


def test_another_pool_than_the_first_is_a_fallback() -> None:
    told = router_metadata(CALL, [HERE, THERE], [tried(cached=[0], queued=[0], pool=THERE)])
    assert ("fallback", "available=2, selected=openrouter") == (told["strategy"], told["summary"])


def test_a_request_that_was_never_sent_has_no_attempt() -> None:
    told = router_metadata(CALL, [HERE], [])
    assert (0, "available=1, selected=none", []) == (told["attempt"], told["summary"], told["attempts"])


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(Verdict.UNAVAILABLE, 500), 500),
        (Outcome(Verdict.UNAVAILABLE), 502),
        (Outcome(Verdict.TIMEOUT), 504),
    ],
)
def test_failed_attempts_show_a_status(outcome: Outcome, status: int) -> None:
    told: Any = router_metadata(CALL, [HERE], [tried(cached=[0], queued=[0], outcome=outcome)])["attempts"]
    assert status == told[0]["status"]


def test_each_candidate_shows_what_it_would_have_cost_and_none_its_address() -> None:
    told = routing(tried(cached=[0, 64], queued=[10, 900], row=1))
    assert (300, 200, "shadow-price", 100) == (
        told["predicted_ttft_ms"],
        told["predicted_wait_ms"],
        told["balancer"],
        told["prompt_tokens"],
    )
    chosen, other = told["candidates"]
    assert (True, 0.5, 64, 900, 1) == tuple(
        chosen[key] for key in ("selected", "cost", "cached_tokens", "queued_tokens", "streams")
    )
    assert (False, None) == (other["selected"], other["cost"])
    assert name_of(EndpointId("10.0.0.1:8000")) == chosen["endpoint"]
    assert "10.0.0" not in str(told)


def test_the_operators_log_has_the_real_ids() -> None:
    told = json.loads(log_line(tried(cached=[0, 64], queued=[10, 900], row=1), CALL))
    assert ["10.0.0.1:8000", "10.0.0.0:8000"] == [each["endpoint"] for each in told["candidates"]]


def test_of_a_large_fleet_the_chosen_and_the_cheapest_are_shown() -> None:
    told = routing(tried(cached=[0] * 100, queued=[0] * 100, row=99))
    assert (100, SHOWN, True) == (told["candidates_total"], len(told["candidates"]), told["candidates"][0]["selected"])


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (tried(cached=[5], queued=[1]), "only one endpoint"),
        (tried(cached=[5, 0], queued=[1, 0]), "it holds the longest part"),
        (tried(cached=[0, 5], queued=[1, 0]), "another endpoint holds more"),
        (tried(cached=[0, 0], queued=[0, 1]), "it has the least queued"),
        (tried(cached=[0, 0], queued=[1, 0]), "its cost was the least"),
    ],
)
def test_the_reason_is_told_in_words(one: Tried, reason: str) -> None:
    assert reason in routing(one)["reason"]


def test_how_the_model_was_found_is_told_unless_another_answered() -> None:
    told = router_metadata(CALL, [HERE], [tried(cached=[0], queued=[0])], strategy=Strategy.LATEST, family="a/b")
    assert ("latest", {"version_group": "a/b"}) == (told["strategy"], told["params"])
    auto = router_metadata(CALL, [HERE, THERE], [tried(cached=[0], queued=[0], pool=THERE)], strategy=Strategy.AUTO)
    assert "auto" == auto["strategy"]


def test_what_was_left_out_counts_and_is_named() -> None:
    told: Any = router_metadata(CALL, [HERE], [], excluded=[Exclusion(THERE, "max_price")])
    assert (2, 1, {"there": "max_price"}) == (
        told["endpoints"]["total"],
        len(told["endpoints"]["available"]),
        told["excluded_by"],
    )


@pytest.mark.parametrize(
    ("preferences", "params"),
    [
        (Preferences(preferred_min_throughput=Cutoffs(p50=40.0)), {"throughput_floor": 40.0}),
        (Preferences(preferred_min_throughput=Cutoffs(p99=40.0)), None),
        (Preferences(), None),
    ],
)
def test_a_floor_under_the_throughput_is_told(preferences: Preferences, params: dict[str, float] | None) -> None:
    assert params == router_metadata(CALL, [HERE], [], preferences=preferences).get("params")


def test_what_plugins_did_is_told_as_they_told_it() -> None:
    stage = {"type": "plugin", "name": "context-compression"}
    assert [stage] == router_metadata(CALL, [HERE], [], pipeline=(stage,))["pipeline"]
    assert not {"pipeline", "params", "excluded_by"} & router_metadata(CALL, [HERE], []).keys()
