import json

import pytest

from router.generation import Generation
from router.metrics import Metrics
from router.policy.attempt import Attempt
from router.policy.catalog import Endpoint, EndpointId, Pool, Price
from router.policy.deadline import Deadlines
from router.policy.outcome import Outcome, Usage, Verdict
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import parse_chat

POOL = Pool("local", "m/eyes", "eyes", price=Price(prompt=1e-6, completion=2e-6))
USAGE = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4)


def attempt(number: int = 1) -> Attempt:
    return Attempt(number, POOL, Endpoint(EndpointId("e1"), "http://e1"), Deadlines())


def generation(model: str = "m/eyes") -> Generation:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello?"}], "stream": True}
    return Generation("gen-1", parse_chat(json.dumps(body).encode(), Limits()), 10.0, 1, "me")


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
