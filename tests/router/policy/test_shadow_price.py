from collections.abc import Sequence

import pytest

from router.policy.call import Call
from router.policy.shadow_price import ShadowPrice, ShadowPriceSettings
from tests.router.policy.columns import columns

CALL = Call("m", prompt_tokens=1000)


def costs(balancer: ShadowPrice | None = None, call: Call = CALL, **given: Sequence[float]) -> list[float]:
    balancer = balancer or ShadowPrice(ShadowPriceSettings())
    return list(balancer.costs(columns(len(next(iter(given.values()))), **given), call))


def test_on_an_idle_fleet_the_cost_is_the_time_to_the_own_first_token() -> None:
    assert [1.0, 0.4] == pytest.approx(costs(cached=[0, 600]))


def test_the_formula_worked_by_hand() -> None:
    # waits 2 s and 1 s, W = 1.5 s, λ = 1 + 3 · 1.5 = 5.5
    # first: (2 + 5.5 · 0.2) · (1 + 0.02 · 10) = 3.72; second: (1 + 5.5 · 1.0) · (1 + 0.02 · 5) = 7.15
    assert [3.72, 7.15] == pytest.approx(costs(queued=[2000, 1000], cached=[800, 0], streams=[10, 5]))


def test_as_queues_grow_the_choice_goes_to_who_holds_the_prefix() -> None:
    cached = [800, 0, 0, 0, 0, 0, 0, 0]
    idle = costs(queued=[1500, 0, 0, 0, 0, 0, 0, 0], cached=cached)
    busy = costs(queued=[5500, 4000, 4000, 4000, 4000, 4000, 4000, 4000], cached=cached)
    assert idle[0] > idle[1]
    assert busy[0] < busy[1]


def test_a_faster_endpoint_is_cheaper() -> None:
    # W = (0.25 + 1) / 2 = 0.625 s, λ = 2.875
    assert [0.25 + 2.875 * 0.25, 1 + 2.875] == pytest.approx(costs(queued=[1000, 1000], rates=[4000.0, 1000.0]))


def test_an_adapter_to_load_and_a_cold_engine_are_dearer() -> None:
    assert [1.0, 1.5, 2.0] == pytest.approx(costs(delays=[0.0, 0.5, 0.0], warmth=[1.0, 1.0, 0.5]))


def test_without_price_and_weight_it_is_the_predicted_time_alone() -> None:
    balancer = ShadowPrice(ShadowPriceSettings(price_per_queued_s=0.0, stream_weight=0.0))
    assert [3.0, 1.5] == pytest.approx(costs(balancer, queued=[2000, 1500], cached=[0, 1000], streams=[0, 99]))


@pytest.mark.parametrize(
    "settings", [{"price_per_queued_s": -1.0}, {"stream_weight": -0.1}, {"stream_weight": float("nan")}]
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        ShadowPriceSettings(**settings)
