"""Which pools serve a call."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.auto import AutoRouter, CostTier
from router.policy.call import Call
from router.policy.catalog import Pool, Price
from router.policy.draft import Conditions, Exclusion
from router.policy.key import Key
from router.policy.model_names import ModelNames, Strategy
from router.policy.performance import Performance
from router.policy.plan import Plan, Planner
from router.policy.preferences import MaxPrice, Preferences, Sort

SMALL = Pool("small", "m/small", "small", context_length=1_000, max_completion_tokens=500)
EYES = Pool("eyes", "m/eyes", "eyes", context_length=1_000, input_modalities=frozenset({"text", "image"}))
SECOND = Pool("second", "m/small", "small", context_length=2_000, tier=1)
POOLS = (SMALL, EYES, SECOND)


def planner(*pools: Pool, created: dict[str, int] | None = None, performance: Performance | None = None) -> Planner:
    names = ModelNames(pools, created=created or {})
    return Planner(names, performance=performance or Performance(), rng=Random(1))


def plan(call: Call, *pools: Pool, conditions: Conditions | None = None) -> Plan:
    return planner(*pools).plan(call, 0.0, conditions or Conditions())


def names(planned: Plan) -> list[str]:
    return [pool.name for pool in planned.pools]


def out(planned: Plan) -> dict[str, str]:
    return {exclusion.pool.name: exclusion.reason for exclusion in planned.excluded}


def wanting(preferences: Preferences, *parameters: str) -> Conditions:
    return Conditions(preferences=preferences, parameters=frozenset(parameters))


def test_pools_of_a_model_are_tried_tier_by_tier() -> None:
    assert Plan((SMALL, SECOND)) == plan(Call("m/small"), SECOND, EYES, SMALL)


def test_fallback_models_come_after_the_model_asked_for_and_each_once() -> None:
    call = Call("m/eyes", fallback_models=("m/small", "m/eyes"))
    assert Plan((EYES, SMALL, SECOND)) == plan(call, *POOLS)


def test_an_unknown_model_has_no_pool_and_no_exclusion() -> None:
    assert Plan(()) == plan(Call("m/none"), SMALL)


def test_an_unknown_model_among_known_ones_is_passed_over() -> None:
    assert Plan((EYES,)) == plan(Call("m/none", fallback_models=("m/eyes",)), *POOLS)


def test_what_leaves_a_pool_out_is_kept() -> None:
    call = Call("m/small", max_tokens=501)
    assert Plan((SECOND,), (Exclusion(SMALL, "max_tokens"),)) == plan(call, *POOLS)


def test_what_a_key_may_not_use_is_left_out() -> None:
    key = Key("k", "k", models=frozenset({"m/eyes"}))
    assert Plan((), (Exclusion(EYES, "input_modalities"),)) == plan(
        Call("m/eyes", modalities=frozenset({"audio"})), *POOLS, conditions=Conditions(key)
    )
    assert {"small": "model_not_allowed", "second": "model_not_allowed"} == out(
        plan(Call("m/small"), *POOLS, conditions=Conditions(key))
    )


CHEAP = Pool("cheap", "m", "m", slug="acme/cheap", price=Price(1e-6, 1e-6))
DEAR = Pool("dear", "m", "m", slug="acme/dear", price=Price(9e-6, 9e-6))
OTHER = Pool("other", "n", "n", slug="other", price=Price(2e-6, 2e-6))
FREE = Pool("free", "m", "m", slug="free")


def test_a_variant_orders_its_model_and_an_explicit_sort_beats_it() -> None:
    assert ["cheap", "dear"] == names(plan(Call("m:floor"), DEAR, CHEAP))
    performance = Performance()
    performance.note("dear", 0.0, ok=True, first_token_s=None, tokens_per_s=90.0)
    performance.note("cheap", 0.0, ok=True, first_token_s=None, tokens_per_s=9.0)
    fast = planner(CHEAP, DEAR, performance=performance)
    assert ["dear", "cheap"] == names(fast.plan(Call("m:nitro"), 0.0))
    assert ["cheap", "dear"] == names(fast.plan(Call("m:nitro"), 0.0, wanting(Preferences(sort=Sort.PRICE))))


def test_a_free_variant_has_only_pools_that_cost_nothing() -> None:
    planned = plan(Call("m:free"), CHEAP, FREE)
    assert (["free"], {"cheap": "max_price"}) == (names(planned), out(planned))


def test_free_first_and_then_for_money() -> None:
    planned = plan(Call("m:free", fallback_models=("m",)), CHEAP, FREE)
    assert (["free", "cheap"], {}) == (names(planned), out(planned))


def test_pools_of_all_models_may_be_sorted_together() -> None:
    call = Call("m", fallback_models=("n",))
    together = Preferences(sort=Sort.PRICE, is_across_models=True)
    assert ["cheap", "other", "dear"] == names(plan(call, CHEAP, DEAR, OTHER, conditions=wanting(together)))
    apart = Preferences(sort=Sort.PRICE)
    assert ["cheap", "dear", "other"] == names(plan(call, CHEAP, DEAR, OTHER, conditions=wanting(apart)))
    none = plan(call, CHEAP, conditions=wanting(replace(together, only=("nobody",))))
    assert () == none.pools


def test_without_fallbacks_there_is_one_pool() -> None:
    preferences = Preferences(sort=Sort.PRICE, allow_fallbacks=False)
    planned = plan(Call("m", fallback_models=("n",)), CHEAP, DEAR, OTHER, conditions=wanting(preferences))
    assert (["cheap"], {"dear": "allow_fallbacks", "other": "allow_fallbacks"}) == (names(planned), out(planned))


def test_without_fallbacks_those_that_are_named_are_tried_in_their_order() -> None:
    preferences = Preferences(order=("acme/dear", "acme/cheap"), allow_fallbacks=False)
    planned = plan(Call("m"), CHEAP, FREE, DEAR, conditions=wanting(preferences))
    assert (["dear", "cheap"], {"free": "allow_fallbacks"}) == (names(planned), out(planned))


DEAF = Pool("deaf", "m", "m", parameters=frozenset({"temperature"}))
ABLE = Pool("able", "m", "m", parameters=frozenset({"tools"}), price=Price(1e-6, 1e-6))


def test_who_ignores_tools_comes_last_while_somebody_does_not() -> None:
    assert ["able", "deaf"] == names(plan(Call("m"), DEAF, ABLE, conditions=wanting(Preferences(), "tools")))


@pytest.mark.parametrize(
    ("pools", "parameters", "reasons"),
    [
        ((DEAF,), ("tools",), {"deaf": "tools"}),
        ((DEAF,), ("tools", "tool_choice"), {"deaf": "tools"}),
        ((DEAF, ABLE), ("tools", "tool_choice"), {"deaf": "tool_choice", "able": "tool_choice"}),
    ],
)
def test_if_nobody_obeys_tools_nobody_serves(
    pools: tuple[Pool, ...], parameters: tuple[str, ...], reasons: dict[str, str]
) -> None:
    planned = plan(Call("m"), *pools, conditions=wanting(Preferences(), *parameters))
    assert ([], reasons) == (names(planned), out(planned))


def test_a_search_of_the_web_is_not_served() -> None:
    assert Plan((), needs_web="n:online") == plan(Call("m", fallback_models=("n:online",)), CHEAP, OTHER)


def test_how_the_model_was_found_is_kept() -> None:
    found = planner(CHEAP, OTHER).plan(Call("~a/b-latest", fallback_models=("m",)), 0.0)
    assert Strategy.DIRECT is found.strategy
    newest = planner(replace(CHEAP, model="a/b-1"), replace(OTHER, model="a/b-2"), created={"a/b-1": 5})
    planned = newest.plan(Call("~a/b-latest"), 0.0)
    assert (["cheap"], Strategy.LATEST, "a/b") == (names(planned), planned.strategy, planned.family)


VISION = Pool("vision", "v", "v", input_modalities=frozenset({"text", "image"}), price=Price(5e-6, 5e-6))
TALKER = Pool("talker", "t", "t", price=Price(3e-6, 3e-6), parameters=frozenset({"temperature"}))
AUTO = Call("openrouter/auto", prompt_tokens=10)


def test_the_cheapest_model_that_can_do_it_is_chosen_and_the_others_come_after_it() -> None:
    planned = plan(AUTO, VISION, TALKER, OTHER)
    assert (["other", "talker", "vision"], Strategy.AUTO) == (names(planned), planned.strategy)
    seeing = replace(AUTO, modalities=frozenset({"text", "image"}))
    assert ["vision"] == names(plan(seeing, VISION, TALKER, OTHER))


def test_a_model_that_would_drop_the_tools_is_not_chosen() -> None:
    planned = plan(AUTO, TALKER, VISION, conditions=wanting(Preferences(), "tools"))
    assert (["vision"], {"talker": "tools"}) == (names(planned), out(planned))


def test_only_models_that_the_caller_allows_are_chosen() -> None:
    planned = plan(AUTO, VISION, TALKER, OTHER, conditions=Conditions(auto=AutoRouter(excluded=("n", "v*"))))
    assert (["talker"], {"vision", "other"}) == (names(planned), set(out(planned)))


def test_a_tier_of_cost_chooses_dearer_ones() -> None:
    planned = plan(AUTO, VISION, TALKER, OTHER, conditions=Conditions(auto=AutoRouter(tier=CostTier.MAX)))
    assert ["vision", "talker", "other"] == names(planned)


def test_a_free_model_is_chosen_by_chance() -> None:
    pools = [Pool(name, name, name) for name in "abc"]
    lottery = planner(*pools, CHEAP)
    plans = [lottery.plan(Call("openrouter/free"), 0.0) for _ in range(100)]
    assert {"a", "b", "c"} == {names(each)[0] for each in plans}
    assert {("cheap", "max_price")} == {item for each in plans for item in out(each).items()}
    assert Strategy.FREE is plans[0].strategy


def test_a_session_stays_where_it_was_served() -> None:
    lottery = planner(*[Pool(name, "m", "m") for name in "abcd"])
    call, mine = Call("m", account="me"), Conditions(session="talk")
    lottery.has_served(call, mine, lottery.plan(call, 0.0).pools[2], 0.0)
    firsts = {names(lottery.plan(call, 100.0, mine))[0] for _ in range(50)}
    assert 1 == len(firsts)
    assert 1 < len({names(lottery.plan(call, 100.0))[0] for _ in range(50)})
    assert 1 < len({names(lottery.plan(call, 601.0, mine))[0] for _ in range(50)})


def test_a_session_keeps_its_model_of_those_that_were_chosen_for_it() -> None:
    chooser = planner(VISION, TALKER, OTHER)
    mine = Conditions(session="talk")
    chooser.has_served(AUTO, mine, VISION, 0.0)
    assert ["vision", "other", "talker"] == names(chooser.plan(AUTO, 0.0, mine))


def test_a_pool_that_cannot_be_asked_in_its_words_is_left_out() -> None:
    conditions = Conditions(cannot=lambda pool: "prediction" if pool is CHEAP else None)
    planned = plan(Call("m"), CHEAP, DEAR, conditions=conditions)
    assert (["dear"], {"cheap": "prediction"}) == (names(planned), out(planned))


def test_whoever_orders_by_name_has_no_favourite() -> None:
    chooser = planner(VISION, TALKER, OTHER)
    ordered = Conditions(session="talk", preferences=Preferences(order=("nobody",)))
    chooser.has_served(AUTO, ordered, VISION, 0.0)
    assert ["other", "talker", "vision"] == names(chooser.plan(AUTO, 0.0, Conditions(session="talk")))


@given(
    pools=st.lists(
        st.tuples(st.sampled_from("mn"), st.sampled_from(["a", "b/eu", "b/us"]), st.floats(0, 1e-5), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    models=st.lists(
        st.sampled_from(["m", "n", "m:free", "n:nitro", "openrouter/auto", "openrouter/free", "x"]),
        min_size=1,
        max_size=3,
    ),
    preferences=st.builds(
        Preferences,
        order=st.sampled_from([(), ("b",), ("b/us", "a")]),
        only=st.sampled_from([(), ("b",)]),
        allow_fallbacks=st.booleans(),
        denies_training=st.booleans(),
        require_parameters=st.booleans(),
        is_across_models=st.booleans(),
        sort=st.sampled_from([None, *Sort]),
        max_price=st.sampled_from([None, MaxPrice(prompt=5.0)]),
    ),
    parameters=st.frozensets(st.sampled_from(["tools", "tool_choice", "seed"])),
)
def test_every_pool_is_planned_once_or_excluded_once(
    pools: list[tuple[str, str, float, bool]],
    models: list[str],
    preferences: Preferences,
    parameters: frozenset[str],
) -> None:
    made = [
        Pool(
            str(number),
            model,
            model,
            slug=slug,
            price=Price(price),
            trains=trains,
            parameters=frozenset({"tools"} if trains else ()),
        )
        for number, (model, slug, price, trains) in enumerate(pools)
    ]
    call = Call(models[0], fallback_models=tuple(models[1:]))
    planned = plan(call, *made, conditions=Conditions(preferences=preferences, parameters=parameters))
    asked = {slug for name in models for slug in ("mn" if name.startswith("openrouter") else name[:1])}
    told = [*names(planned), *out(planned)]
    assert sorted(pool.name for pool in made if pool.model in asked) == sorted(told)
    if not preferences.allow_fallbacks and not preferences.order:
        assert len(planned.pools) <= 1
