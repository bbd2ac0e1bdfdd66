"""Statuses, headers and failed exchanges to verdicts, by plain calls."""

import pytest

from router.policy.outcome import Outcome, Phase, Verdict
from router.upstream.failed import ConnectTimeout, Failed
from router.upstream.judgement import of_answer, of_clock, of_failure, of_status, retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (101, Verdict.UNAVAILABLE),
        (204, Verdict.UNAVAILABLE),
        (307, Verdict.UNAVAILABLE),
        (400, Verdict.REJECTED),
        (401, Verdict.UNAVAILABLE),
        (403, Verdict.UNAVAILABLE),
        (404, Verdict.REJECTED),
        (407, Verdict.UNAVAILABLE),
        (413, Verdict.REJECTED),
        (422, Verdict.REJECTED),
        (429, Verdict.RATE_LIMITED),
        (499, Verdict.REJECTED),
        (500, Verdict.UNAVAILABLE),
        (502, Verdict.UNAVAILABLE),
        (503, Verdict.OVERLOADED),
        (504, Verdict.UNAVAILABLE),
    ],
)
def test_each_status_has_its_verdict(status: int, expected: Verdict) -> None:
    assert expected == of_status(status, None).verdict


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_goes_with_the_verdict(status: int) -> None:
    assert 7.0 == of_status(status, 7.0).retry_after_s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("99999999", 300.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
        ("Tue, 14 Nov 2099 22:13:00 GMT", 300.0),
        ("Tue, 99 Nov 2023 22:13:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_reason(value: str, expected: float | None) -> None:
    assert expected == retry_after({"retry-after": value}, now=NOW, longest_s=300.0)


def test_no_retry_after_is_none() -> None:
    assert retry_after({}, now=NOW, longest_s=300.0) is None


@pytest.mark.parametrize(
    ("content_type", "stream", "is_good"),
    [
        ("text/event-stream", True, True),
        ("Text/Event-Stream; charset=utf-8", True, True),
        ("application/json", True, False),
        ("application/json", False, True),
        ("text/html", False, False),
        ("", False, False),
    ],
)
def test_an_answer_must_be_of_the_kind_that_was_asked_for(content_type: str, stream: bool, is_good: bool) -> None:
    outcome = of_answer({"content-type": content_type}, stream=stream)
    assert (Verdict.OK if is_good else Verdict.UNAVAILABLE) == outcome.verdict


def test_a_failure_is_unavailable_before_the_first_byte_and_broken_after_it() -> None:
    failed = Failed("the answer was cut off")
    assert Outcome(Verdict.UNAVAILABLE, detail="the answer was cut off") == of_failure(failed, has_begun=False)
    assert Outcome(Verdict.BROKEN, detail="the answer was cut off") == of_failure(failed, has_begun=True)


def test_a_connect_that_takes_too_long_is_a_timeout_of_that_phase() -> None:
    outcome = of_failure(ConnectTimeout(), has_begun=False)
    assert Outcome(Verdict.TIMEOUT, detail="connecting took too long", phase=Phase.CONNECT) == outcome


@pytest.mark.parametrize("phase", Phase)
def test_every_clock_has_a_verdict_with_its_phase(phase: Phase) -> None:
    outcome = of_clock(phase)
    assert (Verdict.TIMEOUT, phase) == (outcome.verdict, outcome.phase)
    assert outcome.detail
