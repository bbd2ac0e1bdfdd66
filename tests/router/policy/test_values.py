from router.policy.deadline import Deadlines
from router.policy.outcome import Outcome, StreamBroken, Usage, Verdict


def test_no_limit_outlasts_the_request() -> None:
    limits = Deadlines(connect_s=1, first_token_s=60, idle_s=30, total_s=600)
    assert limits.within(10) == Deadlines(connect_s=1, first_token_s=10, idle_s=10, total_s=10)
    assert limits.within(-1) == Deadlines(connect_s=0, first_token_s=0, idle_s=0, total_s=0)


def test_only_what_the_endpoint_did_is_its_fault() -> None:
    assert {verdict for verdict in Verdict if verdict.is_fault} == {
        Verdict.UNAVAILABLE,
        Verdict.TIMEOUT,
        Verdict.BROKEN,
    }


def test_what_the_client_did_or_has_begun_to_read_is_not_retried() -> None:
    assert {verdict for verdict in Verdict if not verdict.is_retryable} == {
        Verdict.OK,
        Verdict.REJECTED,
        Verdict.BROKEN,
        Verdict.CANCELLED,
    }


def test_usage_adds_up() -> None:
    assert Usage(prompt_tokens=7, completion_tokens=5, cached_tokens=4).total_tokens == 12


def test_a_broken_stream_says_how() -> None:
    assert str(StreamBroken(Outcome(Verdict.BROKEN, detail="cut off"))) == "cut off"
    assert str(StreamBroken(Outcome(Verdict.BROKEN))) == "broken"
