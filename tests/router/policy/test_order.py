"""The order of one model's pools."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.call import Call
from router.policy.catalog import Pool, Price
from router.policy.order import Order, OrderSettings, Wish, price_of
from router.policy.performance import Performance
from router.policy.preferences import Cutoffs, Preferences, Sort

CALL = Call("m", prompt_tokens=1_000)


def pool(name: str, price: float = 0.0, *, tier: int = 0, parameters: str = "") -> Pool:
    return Pool(
        name, "m", "m", slug=name, price=Price(price, price), tier=tier, parameters=frozenset(parameters.split())
    )


class World:
    def __init__(self, seed: int = 1) -> None:
        self.performance = Performance()
        self.order = Order(self.performance, Random(seed), OrderSettings())

    def names(self, pools: list[Pool], wish: Wish | None = None) -> list[str]:
        return [each.name for each in self.order(pools, wish or Wish(CALL), 0.0)]

    def note(
        self, name: str, *, seconds: float | None = None, speed: float | None = None, tools_ok: bool | None = None
    ) -> None:
        self.performance.note(name, 0.0, ok=True, first_token_s=seconds, tokens_per_s=speed, tools_ok=tools_ok)

    def fail(self, name: str) -> None:
        for _ in range(5):
            self.performance.note(name, 0.0, ok=False, first_token_s=None, tokens_per_s=None)


A, B, C = pool("a", 1e-6), pool("b", 3e-6), pool("c", 9e-6)


def test_one_dollar_comes_before_three_nine_times_in_ten() -> None:
    world = World()
    first = [world.names([B, A])[0] for _ in range(5_000)]
    assert 0.9 == pytest.approx(first.count("a") / 5_000, abs=0.015)


def test_pools_that_cost_nothing_come_first_in_an_even_lottery() -> None:
    world = World()
    orders = [world.names([A, pool("x"), pool("y")]) for _ in range(2_000)]
    assert {"a"} == {names[2] for names in orders}
    assert 0.5 == pytest.approx([names[0] for names in orders].count("x") / 2_000, abs=0.05)


def test_own_engines_come_before_what_is_paid_for_elsewhere_whatever_the_price() -> None:
    world = World()
    assert {("c", "a")} == {tuple(world.names([pool("a", 1e-9, tier=1), C])) for _ in range(200)}


def test_a_pool_with_an_outage_comes_last() -> None:
    world = World()
    world.fail("a")
    assert {("c", "a")} == {tuple(world.names([A, C])) for _ in range(200)}
    assert {("x", "a")} == {tuple(world.names([A, pool("x", tier=9)])) for _ in range(200)}


def test_the_pool_that_served_the_session_comes_first_within_its_tier() -> None:
    world = World()
    wish = Wish(CALL, favourite="c")
    assert {"c"} == {world.names([A, B, C], wish)[0] for _ in range(100)}
    assert {"a"} == {world.names([A, pool("c", tier=1)], wish)[0] for _ in range(100)}


def test_a_favourite_with_an_outage_is_none() -> None:
    world = World()
    world.fail("c")
    assert {"a", "b"} >= {world.names([A, B, C], Wish(CALL, favourite="c"))[0] for _ in range(100)}


def test_who_would_drop_the_tools_comes_after_who_would_not() -> None:
    world = World()
    deaf, able = pool("deaf", parameters="temperature"), pool("able", 1e-6, tier=1, parameters="tools")
    wish = Wish(CALL, parameters=frozenset({"tools"}))
    assert ["able", "deaf"] == world.names([deaf, able], wish)
    assert ["deaf", "able"] == world.names([deaf, able], Wish(CALL, parameters=frozenset({"seed"})))


@pytest.mark.parametrize(
    "preferences",
    [
        Preferences(preferred_min_throughput=Cutoffs(p50=50.0)),
        Preferences(preferred_max_latency=Cutoffs(p50=1.0)),
        Preferences(preferred_min_throughput=Cutoffs(p50=1.0), preferred_max_latency=Cutoffs(p50=1.0)),
    ],
)
def test_who_misses_what_the_caller_prefers_comes_last_but_is_not_left_out(preferences: Preferences) -> None:
    world = World()
    world.note("a", seconds=2.0, speed=10.0)
    world.note("b", seconds=0.5, speed=90.0)
    assert {("b", "a"), ("c", "b", "a"), ("b", "c", "a")} >= {
        tuple(world.names(pools, Wish(CALL, preferences))) for pools in ([A, B], [A, B, C]) for _ in range(50)
    }


def test_named_pools_come_first_and_the_rest_by_price() -> None:
    world = World()
    preferences = Preferences(order=("c", "nobody", "b"))
    x = pool("x", 2e-6)
    assert ["c", "b", "a", "x"] == world.names([x, A, B, C], Wish(CALL, preferences, favourite="x"))


def test_after_the_named_the_order_may_be_sorted() -> None:
    world = World()
    world.note("a", seconds=2.0)
    world.note("b", seconds=1.0)
    assert ["c", "b", "a"] == world.names([A, B, C], Wish(CALL, Preferences(order=("c",)), Sort.LATENCY))


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (Sort.PRICE, ["a", "b", "c"]),
        (Sort.LATENCY, ["c", "b", "a"]),
        (Sort.THROUGHPUT, ["b", "c", "a"]),
        (Sort.EXACTO, ["a", "b", "c"]),
    ],
)
def test_an_explicit_sort_decides(sort: Sort, names: list[str]) -> None:
    world = World()
    for name, seconds, speed in (("a", 3.0, 10.0), ("b", 2.0, 90.0), ("c", 1.0, 50.0)):
        world.note(name, seconds=seconds, speed=speed)
    world.note("a", tools_ok=True)
    assert names == world.names([C, B, A], Wish(CALL, sort=sort))


@pytest.mark.parametrize("sort", [Sort.LATENCY, Sort.THROUGHPUT, Sort.EXACTO])
def test_what_was_never_measured_comes_after_what_was_and_own_engines_first(sort: Sort) -> None:
    world = World()
    world.note("c", seconds=9.0, speed=0.1)
    assert ["c", "b", "a"] == world.names([pool("a", tier=1), B, C], Wish(CALL, sort=sort))


def test_a_sort_does_not_ask_for_tiers() -> None:
    world = World()
    assert ["a", "c"] == world.names([C, pool("a", 1e-9, tier=1)], Wish(CALL, sort=Sort.PRICE))


def test_a_price_is_that_of_a_usual_answer() -> None:
    priced = Pool("p", "m", "m", price=Price(prompt=1.0, completion=10.0, request=5.0))
    assert 1_000 + 2_560 + 5 == price_of(CALL, priced)
    assert 1_000 + 10 + 5 == price_of(Call("m", prompt_tokens=1_000, max_tokens=1), priced)
    assert 1_000 + 2_560 + 5 == price_of(Call("m", prompt_tokens=1_000, max_tokens=9_999), priced)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2), st.booleans()), max_size=8),
    st.sampled_from([None, *Sort]),
    st.booleans(),
)
def test_an_order_is_a_permutation(facts: list[tuple[float, int, bool]], sort: Sort | None, is_named: bool) -> None:
    world = World()
    pools = []
    for number, (price, tier, has_failed) in enumerate(facts):
        pools.append(pool(f"p{number}", price, tier=tier))
        if has_failed:
            world.fail(f"p{number}")
    wish = Wish(CALL, Preferences(order=("p1",) if is_named else ()), sort)
    assert sorted(each.name for each in pools) == sorted(world.names(pools, wish))


@pytest.mark.parametrize("field", ["outage_s", "window_s"])
@pytest.mark.parametrize("value", [0.0, 1_801.0])
def test_settings_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        OrderSettings(**{field: value})
