from router.policy.call import Call
from router.policy.least_request import LeastRequest
from tests.router.policy.columns import columns

CALL = Call("m", prompt_tokens=1000)


def test_the_fewest_requests_are_the_cheapest_whatever_their_size() -> None:
    assert [4.0, 2.0] == LeastRequest().costs(columns(2, streams=[3, 1], queued=[0, 10**6]), CALL)


def test_an_engine_that_warms_up_counts_as_fuller() -> None:
    assert [2.0, 10.0] == LeastRequest().costs(columns(2, streams=[1, 0], warmth=[1.0, 0.1]), CALL)
