"""Room for engines, by arithmetic."""

import pytest

from deploy.chart.deployment import Group, unplaced, wanted
from serving.config import Deployment


@pytest.mark.parametrize(
    ("offers", "pods", "rest"),
    [
        ({"CPU": 3.0, "GPU": 2.0}, 2, 0),
        ({"CPU": 2.0, "GPU": 2.0}, 2, 1),  # the first pod holds the replica itself too
        ({"CPU": 3.0, "GPU": 2.0}, 1, 2),
        ({"CPU": 9.0}, 2, 4),
    ],
)
def test_what_finds_no_room_is_told(offers: dict[str, float], pods: int, rest: int) -> None:
    bundles = wanted(Deployment(model="mistral-small-3.1-24b", preset="2x48gb", pipeline_parallel_size=2))

    assert rest == len(unplaced(bundles, Group("it", pods, offers, 2)))


def test_a_kind_of_card_is_asked_for() -> None:
    (bundle,) = wanted(Deployment(model="mistral-small-3.1-24b", preset="h100"))

    assert {"CPU": 2.0, "GPU": 1.0, "accelerator_type:H100": 0.001} == bundle
