"""Providers in the metrics."""

from router.policy.allotment import Allotment
from router.provider_series import provider_series


def test_each_provider_shows_what_it_gets_and_what_it_does_not() -> None:
    allotment = Allotment(concurrent=1, per_min=None)
    allotment.take(0.0)
    allotment.take(0.0)
    samples = {
        (sample.name, sample.labels["provider"]): sample.value
        for metric in provider_series({"openrouter": allotment})
        for sample in metric.samples
    }
    assert {
        ("tramontane_provider_requests", "openrouter"): 1,
        ("tramontane_provider_beyond_allotment_total", "openrouter"): 1,
    } == samples
