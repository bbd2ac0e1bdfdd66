from router.policy.catalog import Price
from router.protocol.model_object import ModelCard, model_object, price_object

CARD = ModelCard(
    id="m/eyes",
    name="Eyes",
    description="Sees.",
    created=1_742_238_937,
    context_length=8_192,
    input_modalities=("text", "image"),
    parameters=("temperature",),
    tokenizer="Mistral",
    price=Price(prompt=1e-7),
    pool_context_length=4_096,
)


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
    card = model_object(CARD)
    assert card["architecture"] == {
        "modality": "text+image->text",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "tokenizer": "Mistral",
        "instruct_type": None,
    }
    assert card["pricing"] == {"prompt": "0.0000001", "completion": "0", "request": "0", "image": "0"}


def test_keys_that_the_official_client_insists_on_are_there_even_when_empty() -> None:
    needed = "links supported_voices per_request_limits default_parameters canonical_slug top_provider"
    assert set(needed.split()) <= model_object(CARD).keys()
