"""A model of the catalogue in OpenRouter's shape: every key that its official client insists on is there."""

from dataclasses import dataclass

from router.policy.catalog import Price

PARAMETERS = tuple(
    "temperature top_p top_k min_p frequency_penalty presence_penalty repetition_penalty max_tokens "
    "max_completion_tokens logit_bias logprobs top_logprobs seed stop response_format structured_outputs tools "
    "tool_choice parallel_tool_calls".split()
)  # what vLLM obeys, of OpenRouter's list


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the catalogue says of a model. The first pool's price and limits stand for the model's."""

    id: str
    name: str
    description: str
    created: int  # Unix seconds
    context_length: int  # tokens
    input_modalities: tuple[str, ...]
    parameters: tuple[str, ...]
    tokenizer: str
    price: Price
    pool_context_length: int  # tokens
    max_completion_tokens: int | None = None
    hugging_face_id: str | None = None


def model_object(card: ModelCard) -> dict[str, object]:
    """One element of `GET /models`' `data`."""
    return {
        "id": card.id,
        "canonical_slug": card.id,
        "hugging_face_id": card.hugging_face_id,
        "name": card.name,
        "created": card.created,
        "description": card.description,
        "context_length": card.context_length,
        "architecture": {
            "modality": "+".join(card.input_modalities) + "->text",
            "input_modalities": list(card.input_modalities),
            "output_modalities": ["text"],
            "tokenizer": card.tokenizer,
            "instruct_type": None,
        },
        "pricing": price_object(card.price),
        "top_provider": {
            "context_length": card.pool_context_length,
            "max_completion_tokens": card.max_completion_tokens,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": list(card.parameters),
        "default_parameters": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/{card.id}/endpoints"},
    }


def price_object(price: Price) -> dict[str, str]:
    """USD per token as decimal strings, as OpenRouter gives them: floats would be printed with exponents."""
    prices = {"prompt": price.prompt, "completion": price.completion, "request": price.request, "image": 0.0}
    if price.cached_prompt is not None:
        prices["input_cache_read"] = price.cached_prompt
    return {name: format(value, ".12f").rstrip("0").rstrip(".") for name, value in prices.items()}
