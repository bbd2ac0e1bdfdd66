"""Heads of providers' refusals."""

import pytest

from router.policy.outcome import Outcome, Verdict
from router.upstream.provider_judgement import of_head, wait_of

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (429, {"retry-after": "3"}, Outcome(Verdict.RATE_LIMITED, 429, "HTTP 429", 3.0)),
        (529, {}, Outcome(Verdict.OVERLOADED, 529, "HTTP 529")),
        (401, {}, Outcome(Verdict.UNAVAILABLE, 401, "HTTP 401: the router's own credentials were refused")),
        (404, {}, Outcome(Verdict.UNAVAILABLE, 404, "HTTP 404")),
        (400, {"retry-after": "3"}, Outcome(Verdict.REJECTED, 400, "HTTP 400")),
        (504, {"retry-after": "3"}, Outcome(Verdict.TIMEOUT, 504, "HTTP 504")),
    ],
)
def test_a_status_and_when_to_come_back(status: int, headers: dict[str, str], outcome: Outcome) -> None:
    assert outcome == of_head(status, headers, NOW, 60.0)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "inf"}, None),
        ({"retry-after": "9999"}, 60.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 60.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1.5s"}, 1.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "20ms"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": ""}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "soon"}, None),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2027-01-15T08:00:09Z",
            },
            9.0,
        ),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "later"}, None),
        ({"x-ratelimit-reset": "1800000007000"}, 7.0),
        ({"x-ratelimit-reset": "1800000007"}, 7.0),
        ({"x-ratelimit-reset": "1700000000"}, 0.0),
        ({"x-ratelimit-reset": "30"}, None),
    ],
)
def test_every_way_to_tell_the_time(headers: dict[str, str], wait_s: float | None) -> None:
    assert pytest.approx(wait_s) == wait_of(headers, NOW, 60.0)
