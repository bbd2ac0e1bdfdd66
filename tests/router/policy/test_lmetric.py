from router.policy.call import Call
from router.policy.lmetric import LMetric
from tests.router.policy.columns import columns

CALL = Call("m", prompt_tokens=1000)


def test_tokens_to_compute_times_requests_worked_by_hand() -> None:
    # (200 queued + 1000 - 600 cached + 1) · (3 + 1) and (0 + 1000 - 0 + 1) · (1 + 1)
    candidates = columns(2, queued=[200, 0], cached=[600, 0], streams=[3, 1])
    assert [2404.0, 2002.0] == LMetric().costs(candidates, CALL)


def test_a_prompt_that_is_cached_everywhere_goes_where_the_fewest_are() -> None:
    assert [6.0, 1.0] == LMetric().costs(columns(2, cached=[1000, 1000], streams=[5, 0]), CALL)


def test_an_adapter_to_load_counts_as_the_tokens_that_could_be_computed_meanwhile() -> None:
    assert [1501.0, 2002.0] == LMetric().costs(columns(2, delays=[0.5, 0.0], warmth=[1.0, 0.5]), CALL)
