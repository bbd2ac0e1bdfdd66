"""The choice of a model for the caller."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.auto import AutoRouter, CostTier, Offer, matches, ranked


@pytest.mark.parametrize(
    ("pattern", "model", "does_match"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/bc", False),
        ("a/*", "a/b", True),
        ("a/*", "b/a/", False),
        ("*", "", True),
        ("*-latest", "a/b-latest", True),
        ("*-latest", "a/b", False),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "a-c", False),
        ("a*a", "a", False),
        ("ab*bc", "abc", False),
        ("*b*", "abc", True),
        ("**", "abc", True),
        ("*" * 1_024, "abc", True),
    ],
)
def test_a_star_stands_for_anything(pattern: str, model: str, does_match: bool) -> None:
    assert does_match == matches(pattern, model)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_patterns_match_as_by_the_simplest_rule(pattern: str, model: str) -> None:
    def simple(pattern: str, model: str) -> bool:
        if not pattern:
            return not model
        if pattern[0] == "*":
            return simple(pattern[1:], model) or (bool(model) and simple(pattern, model[1:]))
        return bool(model) and pattern[0] == model[0] and simple(pattern[1:], model[1:])

    assert simple(pattern, model) == matches(pattern, model)


def test_an_excluded_model_is_excluded_although_it_is_allowed() -> None:
    auto = AutoRouter(allowed=("a/*",), excluded=("a/b",))
    assert [False, True, False] == [auto.allows(model) for model in ("a/b", "a/c", "b/c")]
    assert AutoRouter().allows("anything")


OFFERS = [Offer(f"m{cost}", cost, 0) for cost in range(6)]


@pytest.mark.parametrize(
    ("tier", "models"),
    [
        (CostTier.LOW, "m0 m1 m2 m3 m4 m5"),
        (CostTier.MEDIUM, "m1 m2 m0 m3 m4 m5"),
        (CostTier.MAX, "m4 m5 m3 m2 m1 m0"),
    ],
)
def test_the_tier_comes_first_and_within_it_the_cheapest(tier: CostTier, models: str) -> None:
    assert models.split() == ranked(OFFERS, tier)


def test_of_equally_cheap_models_the_newest_comes_first() -> None:
    assert ["b", "a", "c"] == ranked([Offer("a", 0.0, 1), Offer("b", 0.0, 2), Offer("c", 0.0, 1)], CostTier.LOW)
    assert ["a"] == ranked([Offer("a", 0.0, 1)], CostTier.MAX)
    assert [] == ranked([], CostTier.LOW)
