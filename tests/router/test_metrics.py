import json

import pytest

from router.generation import Generation
from router.metrics import Metrics
from router.policy.attempt import Attempt
from router.policy.call import Call
from router.policy.catalog import Endpoint, EndpointId, Pool, Price
from router.policy.deadline import Deadlines
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.route import Reason
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import parse_chat
from tests.router.accounts import ME, accounting

POOL = Pool("local", "m/eyes", "eyes", price=Price(prompt=1e-6, completion=2e-6))
ENDPOINT = Endpoint(EndpointId("e1"), "http://e1")
USAGE = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4)


def attempt(number: int = 1) -> Attempt:
    return Attempt(number, POOL, ENDPOINT, Deadlines())


def generation(model: str = "m/eyes") -> Generation:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello?"}], "stream": True}
    return Generation("gen-1", parse_chat(json.dumps(body).encode(), Limits()), 10.0, 1, ME, accounting().admit(ME))


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_tokens_are_counted_once_cached_ones_apart() -> None:
    metrics = Metrics()
    metrics.on_settle(attempt(), Outcome(Verdict.OK), USAGE)
    counts = [
        sample(metrics, "tramontane_tokens_total", model="m/eyes", pool="local", kind=kind)
        for kind in ("prompt", "cached_prompt", "completion")
    ]
    assert counts == [6, 4, 5]


def test_attempts_beyond_the_first_are_retries() -> None:
    metrics = Metrics()
    metrics.on_settle(attempt(1), Outcome(Verdict.UNAVAILABLE), None)
    metrics.on_settle(attempt(2), Outcome(Verdict.OK), None)
    assert sample(metrics, "tramontane_retries_total", pool="local") == 1
    assert sample(metrics, "tramontane_attempts_total", pool="local", verdict="unavailable") == 1


def test_hedges_are_no_retries() -> None:
    metrics = Metrics()
    metrics.on_settle(Attempt(1, POOL, ENDPOINT, Deadlines(), is_hedge=True), Outcome(Verdict.OK), None)
    assert sample(metrics, "tramontane_hedges_total", pool="local") == 1
    assert sample(metrics, "tramontane_retries_total", pool="local") is None


def test_the_first_token_is_shown_as_it_was_predicted_and_as_it_came() -> None:
    metrics = Metrics()
    metrics.on_first_token(attempt(), 0.25, 0.5)
    assert sample(metrics, "tramontane_predicted_time_to_first_token_seconds_sum", pool="local") == 0.25
    assert sample(metrics, "tramontane_attempt_time_to_first_token_seconds_sum", pool="local") == 0.5


def test_the_error_of_the_length_and_the_belief_in_the_cache_are_counted() -> None:
    metrics = Metrics()
    metrics.on_counted(attempt(), Call("m/eyes", prompt_tokens=12), 6, USAGE)
    metrics.on_counted(attempt(), Call("m/eyes"), 0, Usage())
    labels = {"model": "m/eyes", "content": "prose"}
    assert sample(metrics, "tramontane_prompt_length_error_ratio_sum", **labels) == pytest.approx(0.2)
    assert sample(metrics, "tramontane_prompt_length_error_ratio_count", **labels) == 1
    assert sample(metrics, "tramontane_estimated_prompt_tokens_total", model="m/eyes") == 12
    assert sample(metrics, "tramontane_expected_cached_tokens_total", pool="local") == 6


def test_decisions_waits_and_refusals_are_counted() -> None:
    metrics = Metrics()
    metrics.on_decided(0.001)
    metrics.on_waited("local", 2.0)
    shed = generation()
    shed.outcome, shed.ended, shed.pools, shed.unsent = Outcome(Verdict.OVERLOADED, 503), 10.0, (POOL,), Reason.LATE
    metrics.on_end(shed)
    assert sample(metrics, "tramontane_decision_seconds_sum") == 0.001
    assert sample(metrics, "tramontane_queue_wait_seconds_sum", pool="local") == 2.0
    assert sample(metrics, "tramontane_unsent_total", model="m/eyes", reason="deadline") == 1


def test_a_finished_stream_leaves_its_times_and_its_cost() -> None:
    metrics = Metrics()
    done = generation()
    done.pool, done.outcome, done.usage = POOL, Outcome(Verdict.OK), USAGE
    done.first_byte, done.ended = 10.5, 12.5
    metrics.on_start()
    metrics.on_end(done)
    assert sample(metrics, "tramontane_requests_in_flight") == 0
    assert sample(metrics, "tramontane_requests_total", model="m/eyes", kind="chat", status="ok") == 1
    assert sample(metrics, "tramontane_time_to_first_token_seconds_sum", model="m/eyes") == 0.5
    assert sample(metrics, "tramontane_request_duration_seconds_sum", model="m/eyes") == 2.5
    assert sample(metrics, "tramontane_time_per_output_token_seconds_sum", model="m/eyes") == 0.5
    assert sample(metrics, "tramontane_cost_usd_total", model="m/eyes", key="me") == pytest.approx(20e-6)


def test_what_clients_send_is_no_label() -> None:
    metrics = Metrics()
    metrics.on_refused(ApiError("authentication", "User not found."))
    stranger = generation(model="made/up-by-a-client")
    stranger.outcome, stranger.ended = Outcome(Verdict.REJECTED, 400), 10.0
    metrics.on_end(stranger)
    assert b"made/up" not in metrics.render()
    assert sample(metrics, "tramontane_requests_total", model="unknown", kind="unparsed", status="401") == 1
    assert sample(metrics, "tramontane_requests_total", model="unknown", kind="chat", status="rejected") == 1
