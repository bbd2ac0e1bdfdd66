"""Which models a query means, and in which order."""

import dataclasses

import pytest

from router.policy.catalog import Pool, Price
from router.protocol.model_choice import Offer, choose
from router.protocol.model_object import ModelCard
from router.protocol.model_query import parse_query
from router.protocol.provider_object import ProviderCard

NOW = 1_000.0 * 86_400
USUAL = ModelCard(
    id="a/usual",
    name="The Usual One",
    description="",
    created=900 * 86_400,
    context_length=8_000,
    input_modalities=("text",),
    parameters=("temperature",),
    tokenizer="Mistral",
)
EYES = dataclasses.replace(
    USUAL, id="b/eyes", name="Eyes", created=990 * 86_400, input_modalities=("text", "image"), parameters=("tools",)
)
VECTORS = dataclasses.replace(USUAL, id="vectors", name="Vectors", output_modalities=("embeddings",), tokenizer="Qwen")
LOCAL = Pool("usual", "a/usual", "u", price=Price(1e-7, 3e-7))
EU = Pool("eyes-eu", "b/eyes", "e", provider="Far", slug="far/eu", price=Price(2e-7, 4e-7), retains=True)
OTHER = Pool("eyes", "b/eyes", "e", price=Price(9e-7, 9e-7), is_distillable=False, parameters=frozenset({"seed"}))
FREE = Pool("vectors", "vectors", "v", trains=True, is_distillable=False)
OFFERS = [
    Offer(USUAL, {LOCAL: 8_000}),
    Offer(EYES, {EU: 4_000, OTHER: 16_000}),
    Offer(VECTORS, {FREE: 500}),
]
PROVIDERS = [ProviderCard("Far", "far", datacenters=("DE",)), ProviderCard("local", "local")]


class Speeds:
    """The second model is quick, of the third nothing is known."""

    def __init__(self) -> None:
        self.asked = 0

    def latency(self, pool: str) -> float | None:
        return {"usual": 0.5, "eyes": 0.1, "eyes-eu": 0.9}.get(pool)

    def throughput(self, pool: str) -> float | None:
        return {"usual": 50.0, "eyes-eu": 90.0}.get(pool)

    def tool_success(self, pool: str) -> float | None:
        self.asked += 1
        return {"eyes": 0.95}.get(pool)


def chosen(**given: str) -> list[str]:
    query = parse_query({"output_modalities": "all"} | given)
    return [offer.card.id for offer in choose(OFFERS, query, PROVIDERS, Speeds(), NOW)]


ALL = ["a/usual", "b/eyes", "vectors"]


def test_everything_is_there_in_its_own_order() -> None:
    assert ALL == chosen()
    assert ["a/usual", "b/eyes"] == chosen(output_modalities="")
    assert ["vectors"] == chosen(output_modalities="embeddings,rerank")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"input_modalities": "text"}, ALL),
        ({"input_modalities": "text,image"}, ["b/eyes"]),
        ({"supported_parameters": "tools"}, ["b/eyes"]),
        ({"supported_parameters": "seed,tools"}, ["b/eyes"]),
        ({"supported_parameters": "temperature"}, ["a/usual", "vectors"]),
        ({"supported_parameters": "levitation"}, []),
        ({"q": "usual"}, ["a/usual"]),
        ({"q": "ONE the"}, ["a/usual"]),
        ({"q": "b/"}, ["b/eyes"]),
        ({"q": "usual eyes"}, []),
        ({"context": "8000"}, ["a/usual", "b/eyes"]),
        ({"context": "8001"}, ["b/eyes"]),
        ({"max_price": "0.1"}, ["a/usual", "vectors"]),
        ({"min_price": "0.1"}, ["a/usual", "b/eyes"]),
        ({"min_output_price": "0.4", "max_output_price": "0.4"}, ["b/eyes"]),
        ({"arch": "qwen"}, ["vectors"]),
        ({"model_authors": "A,c"}, ["a/usual"]),
        ({"providers": "far"}, ["b/eyes"]),
        ({"providers": "Local"}, ALL),
        ({"distillable": "true"}, ["a/usual", "b/eyes"]),
        ({"distillable": "false"}, ["vectors"]),
        ({"zdr": "true"}, ["a/usual", "b/eyes"]),
        ({"zdr": "false"}, ALL),
        ({"region": "eu"}, ["b/eyes"]),
        ({"region": "us"}, []),
        ({"max_age_days": "10"}, ["b/eyes"]),
        ({"min_age_days": "11"}, ["a/usual", "vectors"]),
        ({"min_intelligence_index": "0"}, []),
        ({"min_tool_success_rate": "0.9"}, ["b/eyes"]),
        ({"max_tool_success_rate": "0.9"}, []),
        ({"category": "programming"}, ALL),
    ],
)
def test_a_filter_leaves_what_fits(given: dict[str, str], found: list[str]) -> None:
    assert found == chosen(**given)


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("newest", ["b/eyes", "a/usual", "vectors"]),
        ("pricing-low-to-high", ["vectors", "a/usual", "b/eyes"]),
        ("pricing-high-to-low", ["b/eyes", "a/usual", "vectors"]),
        ("context-high-to-low", ["b/eyes", "a/usual", "vectors"]),
        ("throughput-high-to-low", ["b/eyes", "a/usual", "vectors"]),
        ("latency-low-to-high", ["b/eyes", "a/usual", "vectors"]),
        ("most-popular", ALL),
        ("design-arena-elo-high-to-low", ALL),
    ],
)
def test_an_order_is_kept(sort: str, found: list[str]) -> None:
    assert found == chosen(sort=sort)


def test_categories_count_where_the_configuration_has_some() -> None:
    offers = [Offer(dataclasses.replace(USUAL, categories=("legal",)), {LOCAL: 1}), *OFFERS[1:]]
    query = parse_query({"category": "legal"})
    assert ["a/usual"] == [offer.card.id for offer in choose(offers, query, PROVIDERS, Speeds(), NOW)]


def test_nothing_is_measured_that_nobody_asks_for() -> None:
    speeds = Speeds()
    choose(OFFERS, parse_query({}), PROVIDERS, speeds, NOW)
    assert 0 == speeds.asked
