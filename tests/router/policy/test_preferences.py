"""Preferences as values."""

import pytest

from router.policy.catalog import Pool, Price
from router.policy.performance import Percentiles
from router.policy.preferences import Cutoffs, MaxPrice, is_among, is_named


def pool(slug: str, provider: str = "Somebody") -> Pool:
    return Pool("p", "m", "m", provider=provider, slug=slug)


@pytest.mark.parametrize(
    ("name", "slug", "is_meant"),
    [
        ("deepinfra", "deepinfra", True),
        ("deepinfra", "deepinfra/turbo", True),
        ("DeepInfra", "deepinfra/turbo", True),
        ("deepinfra/turbo", "deepinfra/turbo", True),
        ("deepinfra/turbo", "deepinfra", False),
        ("deepinfra/turbo", "deepinfra/fast", False),
        ("deep", "deepinfra", False),
        ("openai", "openai/priority", False),
        ("openai", "openai/eu/flex", False),
        ("openai/priority", "openai/priority", True),
        ("openai", "openai/eu", True),
    ],
)
def test_a_base_slug_means_all_variants_but_no_tier(name: str, slug: str, is_meant: bool) -> None:
    assert is_meant == is_named(pool(slug), name)


def test_display_names_are_understood() -> None:
    assert is_named(pool("moonshotai", "Moonshot AI"), "moonshot ai")
    assert is_among(pool("moonshotai", "Moonshot AI"), ["x", "Moonshot AI"])
    assert not is_among(pool("moonshotai"), [])


MEASURED = Percentiles(10.0, 20.0, 30.0, 40.0)


@pytest.mark.parametrize(
    ("cutoffs", "as_least", "as_most"),
    [
        (Cutoffs(), True, True),
        (Cutoffs(p50=10.0, p99=40.0), True, True),
        (Cutoffs(p50=5.0), True, False),
        (Cutoffs(p50=5.0, p90=31.0), False, False),
        (Cutoffs(p75=25.0), False, True),
    ],
)
def test_all_cutoffs_must_hold(cutoffs: Cutoffs, as_least: bool, as_most: bool) -> None:
    assert (as_least, as_most) == (cutoffs.are_met(MEASURED, is_least=True), cutoffs.are_met(MEASURED, is_least=False))


def test_of_what_was_never_measured_nothing_bad_is_known() -> None:
    assert Cutoffs(p50=1e9).are_met(None, is_least=True)


@pytest.mark.parametrize(
    ("bound", "is_allowed"),
    [
        (MaxPrice(), True),
        (MaxPrice(prompt=0.3, completion=0.9, request=0.01), True),
        (MaxPrice(prompt=0.29), False),
        (MaxPrice(completion=0.89), False),
        (MaxPrice(request=0.009), False),
    ],
)
def test_no_price_may_be_above_its_bound(bound: MaxPrice, is_allowed: bool) -> None:
    priced = Pool("p", "m", "m", price=Price(prompt=3e-7, completion=9e-7, request=0.01))
    assert is_allowed == bound.allows(priced)
