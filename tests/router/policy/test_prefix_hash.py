import math
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from router.policy.call import Call, Prefix
from router.policy.prefix_hash import PrefixHash, PrefixHashSettings
from tests.router.policy.columns import columns


def call(*hashes: int) -> Call:
    return Call("m", prompt_tokens=64 * len(hashes), prefix=Prefix(hashes, tuple(range(64, 64 * len(hashes) + 1, 64))))


def favourite(balancer: PrefixHash, asked: Call, size: int = 5, **given: Sequence[float]) -> int:
    costs = list(balancer.costs(columns(size, **given), asked))
    return costs.index(min(costs))


def test_calls_that_begin_alike_go_to_the_same_endpoint() -> None:
    balancer = PrefixHash(PrefixHashSettings(blocks=2))
    assert favourite(balancer, call(11, 22, 33)) == favourite(balancer, call(11, 22, 44, 55))


def test_beginnings_are_spread_evenly() -> None:
    balancer, rng = PrefixHash(PrefixHashSettings()), Random(1)
    picks = Counter(favourite(balancer, call(rng.getrandbits(64))) for _ in range(2000))
    assert all(320 < picks[row] < 480 for row in range(5)), picks  # 400 ± 4 σ


def test_when_an_endpoint_leaves_only_its_own_calls_move() -> None:
    balancer, rng = PrefixHash(PrefixHashSettings()), Random(1)
    for _ in range(200):
        asked = call(rng.getrandbits(64))
        before = favourite(balancer, asked, 5)
        assert before == 4 or before == favourite(balancer, asked, 4)


def test_an_overfull_endpoint_is_passed_over() -> None:
    balancer, asked = PrefixHash(PrefixHashSettings(bound=1.25)), call(7)
    first = favourite(balancer, asked)
    # of 20 streams and this one at five endpoints, 1.25 times the mean is 5.25, so that six may be there
    fits = [5 if row == first else 3.75 for row in range(5)]
    full = [6 if row == first else 3.5 for row in range(5)]
    assert first == favourite(balancer, asked, streams=fits)
    assert first != favourite(balancer, asked, streams=full)
    assert math.inf == balancer.costs(columns(5, streams=full), asked)[first]


def test_a_prompt_too_short_to_share_anything_goes_where_the_fewest_are() -> None:
    assert [3.0, 1.0] == PrefixHash(PrefixHashSettings()).costs(columns(2, streams=[3, 1]), Call("m"))


@pytest.mark.parametrize("settings", [{"blocks": 0}, {"bound": 1.0}, {"bound": float("nan")}])
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        PrefixHashSettings(**settings)  # type: ignore[arg-type]
