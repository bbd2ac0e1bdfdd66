"""Names of models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import Pool
from router.policy.model_names import Asked, ModelNames, Strategy
from router.policy.preferences import Sort

SLUGS = ("acme/chat-1", "acme/chat-2", "acme/chatter-9", "acme/chat-1:free", "b/x:thinking")
NAMES = ModelNames(
    [Pool(f"pool-{number}", slug, "m") for number, slug in enumerate((*SLUGS, "acme/chat-1"))],
    created={"acme/chat-1": 100, "acme/chat-2": 200, "acme/chatter-9": 900},
    aliases={"gpt-4o": "acme/chat-1", "~acme/best-latest": "acme/chat-2:nitro", "auto": "openrouter/auto"},
)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_slug_is_itself_whatever_it_looks_like(slug: str) -> None:
    assert Asked((slug,)) == NAMES.resolve(slug)


def test_pools_of_a_model_keep_their_order() -> None:
    assert ["pool-0", "pool-5"] == [pool.name for pool in NAMES.pools("acme/chat-1")]
    assert () == NAMES.pools("nothing")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("acme/chat-2:nitro", Asked(("acme/chat-2",), sort=Sort.THROUGHPUT)),
        ("acme/chat-2:floor", Asked(("acme/chat-2",), sort=Sort.PRICE)),
        ("acme/chat-2:exacto", Asked(("acme/chat-2",), sort=Sort.EXACTO)),
        ("acme/chat-2:free", Asked(("acme/chat-2",), is_free=True)),
        ("acme/chat-2:online", Asked(("acme/chat-2",), needs_web=True)),
        ("acme/chat-2:free:nitro", Asked(("acme/chat-2",), sort=Sort.THROUGHPUT, is_free=True)),
        ("acme/chat-2:nitro:floor", Asked(("acme/chat-2",), sort=Sort.PRICE)),
        ("acme/chat-1:free:floor", Asked(("acme/chat-1:free",), sort=Sort.PRICE)),
        ("gpt-4o", Asked(("acme/chat-1",), Strategy.ALIAS)),
        ("gpt-4o:nitro", Asked(("acme/chat-1",), Strategy.ALIAS, sort=Sort.THROUGHPUT)),
        ("~acme/best-latest", Asked(("acme/chat-2",), Strategy.LATEST, sort=Sort.THROUGHPUT)),
        ("~acme/chat-latest", Asked(("acme/chat-2",), Strategy.LATEST, family="acme/chat")),
        (
            "~acme/chat-latest:floor",
            Asked(("acme/chat-2",), Strategy.LATEST, sort=Sort.PRICE, family="acme/chat"),
        ),
        ("openrouter/free", Asked(SLUGS, Strategy.FREE, is_free=True)),
        ("auto", Asked(SLUGS, Strategy.AUTO)),
        ("openrouter/auto:nitro", Asked(SLUGS, Strategy.AUTO, sort=Sort.THROUGHPUT)),
    ],
)
def test_other_names_lead_to_slugs(name: str, asked: Asked) -> None:
    assert asked == NAMES.resolve(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ":",
        ":nitro",
        "acme/chat-3",
        "acme/chat-2:thinking",
        "acme/chat-2:extended",
        "acme/chat-2:batch",
        "acme/chat-2:",
        "~acme/other-latest",
        "~acme-latest",
        "~-latest",
        "acme/chat-latest",
        "acme/chat-3:nitro",
    ],
)
def test_nothing_else_is_a_name(name: str) -> None:
    assert NAMES.resolve(name) is None


def test_only_what_the_router_chooses_from_is_a_choice() -> None:
    choices = [NAMES.resolve(name) for name in ("openrouter/auto", "openrouter/free", "acme/chat-1")]
    assert [True, True, False] == [asked is not None and asked.is_choice for asked in choices]


def test_a_model_without_a_date_counts_as_the_oldest() -> None:
    assert (200, 0) == (NAMES.created("acme/chat-2"), NAMES.created("b/x:thinking"))


@pytest.mark.parametrize(
    ("aliases", "problem"),
    [
        ({"m": "m"}, "aliases.m: a model is called so"),
        ({"x": "nothing"}, "aliases.x: there is no model nothing"),
        ({"x": "m", "y": "x"}, "aliases.y: there is no model x"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused(aliases: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ModelNames([Pool("p", "m", "m")], aliases=aliases)


@given(st.lists(st.sampled_from(["nitro", "floor", "exacto", "free", "online"]), max_size=300))
def test_variants_stack_to_any_height(variants: list[str]) -> None:
    asked = NAMES.resolve(":".join(["acme/chat-2", *variants]))
    assert asked is not None
    sorts = [variant for variant in variants if variant in ("nitro", "floor", "exacto")]
    expected = {"nitro": Sort.THROUGHPUT, "floor": Sort.PRICE, "exacto": Sort.EXACTO}
    assert (expected[sorts[-1]] if sorts else None) == asked.sort
    assert ("free" in variants, "online" in variants) == (asked.is_free, asked.needs_web)
