import math
from collections.abc import Sequence

import pytest

from router.policy.call import Call
from router.policy.sticky import Sticky, StickySettings
from tests.router.policy.columns import columns

CALL = Call("m", prompt_tokens=1000)
PICTURE = Call("m", prompt_tokens=1000, image_tokens=700)


def costs(call: Call = CALL, settings: StickySettings | None = None, **given: Sequence[float]) -> list[float]:
    candidates = columns(len(next(iter(given.values()))), **given)
    return list(Sticky(settings or StickySettings()).costs(candidates, call))


def test_it_stays_with_those_that_hold_the_prompt() -> None:
    # (5000 + 200) / 1000 and (6000 + 100) / 1000; the third holds too little
    assert [5.2, 6.1, math.inf] == costs(queued=[5000, 6000, 0], cached=[800, 900, 799])


def test_where_nobody_holds_it_the_least_work_counts() -> None:
    assert [2.0, 1.5] == costs(queued=[1000, 1000], cached=[0, 500])


def test_where_all_hold_it_the_least_work_counts() -> None:
    assert [1.1, 0.1] == pytest.approx(costs(queued=[1000, 0], cached=[900, 900]))


def test_the_prefix_is_given_up_when_waiting_for_it_costs_too_much() -> None:
    # the holder answers after 15.1 s, the other after 1 s: 14.1 s later
    assert [15.1, 1.0] == costs(queued=[15_000, 0], cached=[900, 0])
    assert [14.9, math.inf] == costs(queued=[14_800, 0], cached=[900, 0])


def test_a_prompt_with_images_sticks_to_less() -> None:
    assert [0.35, math.inf] == costs(PICTURE, cached=[650, 0])
    assert [0.35, 1.0] == costs(CALL, cached=[650, 0])


def test_an_empty_prompt_has_no_holders() -> None:
    assert [1.0, 0.0] == costs(Call("m"), queued=[1000, 0])


def test_an_adapter_to_load_and_a_cold_engine_are_dearer() -> None:
    assert [1.0, 1.5, 2.0] == costs(delays=[0.0, 0.5, 0.0], warmth=[1.0, 1.0, 0.5])


@pytest.mark.parametrize(
    "settings",
    [{"share": 0.0}, {"share": 1.1}, {"image_share": 0.0}, {"image_share": float("nan")}, {"penalty_s": -1.0}],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        StickySettings(**settings)
