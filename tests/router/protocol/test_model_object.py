"""A model as callers see it."""

import dataclasses

from router.policy.catalog import Pool, Price
from router.protocol.model_object import ModelCard, model_object, parameters_of, price_object
from tests.router.openrouter import assert_valid

CARD = ModelCard(
    id="m/eyes",
    name="Eyes",
    description="Sees.",
    created=1_742_238_937,
    context_length=8_192,
    input_modalities=("text", "image"),
    parameters=("temperature", "tools"),
    tokenizer="Mistral",
)
POOL = Pool("local", "m/eyes", "eyes", price=Price(prompt=1e-7), max_completion_tokens=512)
OTHER = Pool("far", "m/eyes", "eyes", price=Price(prompt=5e-7), parameters=frozenset({"seed", "reasoning"}))


def test_prices_are_plain_decimal_strings() -> None:
    price = Price(prompt=1e-7, completion=3e-7, cached_prompt=2.5e-8, request=0.01)
    assert price_object(price) == {
        "prompt": "0.0000001",
        "completion": "0.0000003",
        "request": "0.01",
        "image": "0",
        "input_cache_read": "0.000000025",
    }


def test_a_model_says_what_it_takes_and_what_it_costs() -> None:
    shown = model_object(CARD, {POOL: 4_096})
    assert shown["architecture"] == {
        "modality": "text+image->text",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "tokenizer": "Mistral",
        "instruct_type": None,
    }
    assert shown["pricing"] == {"prompt": "0.0000001", "completion": "0", "request": "0", "image": "0"}


def test_the_first_pool_stands_for_the_model_and_the_longest_context_counts() -> None:
    shown = model_object(CARD, {POOL: 4_096, OTHER: 8_000})
    assert {"context_length": 4_096, "max_completion_tokens": 512, "is_moderated": False} == shown["top_provider"]
    assert 8_000 == shown["context_length"]
    assert ["temperature", "seed", "tools", "reasoning"] == shown["supported_parameters"]


def test_a_pool_that_names_no_parameters_obeys_the_models() -> None:
    assert ("temperature", "tools") == parameters_of(CARD, POOL)
    assert ("seed", "reasoning") == parameters_of(CARD, OTHER)


def test_every_key_of_the_document_is_there() -> None:
    rich = dataclasses.replace(
        CARD,
        default_parameters={"temperature": 0.15},
        knowledge_cutoff="2023-10-01",
        expiration_date="2027-01-01",
        images_per_request=10,
        instruct_type="mistral",
    )
    for card in (CARD, rich):
        assert_valid("Model", model_object(card, {POOL: 4_096}))
    shown = model_object(rich, {POOL: 4_096})
    assert ({"temperature": 0.15}, 10) == (shown["default_parameters"], shown["images_per_request"])


def test_keys_that_the_official_client_insists_on_are_there_even_when_empty() -> None:
    needed = "links supported_voices per_request_limits default_parameters canonical_slug top_provider"
    assert set(needed.split()) <= model_object(CARD, {POOL: 1}).keys()


def test_an_author_is_what_stands_before_the_slash() -> None:
    assert ("m", "") == (CARD.author, dataclasses.replace(CARD, id="eyes").author)
