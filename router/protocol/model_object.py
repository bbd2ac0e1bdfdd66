"""A model of the catalogue in OpenRouter's shape: every key that its official client insists on is there.

What a model costs and how much it takes is what its first pool does, as far as the caller may use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from router.policy.catalog import Pool, Price

PARAMETERS = tuple(
    "temperature top_p top_k min_p frequency_penalty presence_penalty repetition_penalty max_tokens "
    "max_completion_tokens logit_bias logprobs top_logprobs seed stop response_format structured_outputs tools "
    "tool_choice parallel_tool_calls".split()
)  # what vLLM obeys, of OpenRouter's list


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the catalogue says of a model, whoever serves it."""

    id: str
    name: str
    description: str
    created: int  # Unix seconds
    context_length: int  # tokens
    input_modalities: tuple[str, ...]
    parameters: tuple[str, ...]
    tokenizer: str
    hugging_face_id: str | None = None
    output_modalities: tuple[str, ...] = ("text",)
    instruct_type: str | None = None
    default_parameters: Mapping[str, float] | None = None  # sampling that holds where a request says nothing
    categories: tuple[str, ...] = ()  # what it is good at, in OpenRouter's words
    knowledge_cutoff: str | None = None  # YYYY-MM-DD
    expiration_date: str | None = None  # YYYY-MM-DD: until when it will be served
    images_per_request: int | None = None  # None: as many as the limits of requests allow

    @property
    def author(self) -> str:
        """What stands before the slash; "" without one."""
        return self.id.rpartition("/")[0]


def model_object(card: ModelCard, pools: Mapping[Pool, int]) -> dict[str, object]:
    """One element of `GET /models`' `data`.

    Args:
        card: the model.
        pools: that serve it, at least one, with the tokens of context that each really has; the first stands for all.
    """
    first, context = next(iter(pools.items()))
    shown: dict[str, object] = {
        "id": card.id,
        "canonical_slug": card.id,
        "hugging_face_id": card.hugging_face_id,
        "name": card.name,
        "created": card.created,
        "description": card.description,
        "context_length": max(pools.values()),
        "architecture": architecture_object(card),
        "pricing": price_object(first.price),
        "top_provider": {
            "context_length": context,
            "max_completion_tokens": first.max_completion_tokens,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": sorted(_parameters(card, pools), key=_place),
        "default_parameters": None if card.default_parameters is None else dict(card.default_parameters),
        "supported_voices": None,
        "knowledge_cutoff": card.knowledge_cutoff,
        "expiration_date": card.expiration_date,
        "links": {"details": f"/api/v1/models/{card.id}/endpoints"},
    }
    if card.images_per_request is not None:
        shown["images_per_request"] = card.images_per_request
    return shown


def architecture_object(card: ModelCard) -> dict[str, object]:
    """What goes in and what comes out."""
    return {
        "modality": "+".join(card.input_modalities) + "->" + "+".join(card.output_modalities),
        "input_modalities": list(card.input_modalities),
        "output_modalities": list(card.output_modalities),
        "tokenizer": card.tokenizer,
        "instruct_type": card.instruct_type,
    }


def price_object(price: Price) -> dict[str, str]:
    """USD per token as decimal strings, as OpenRouter gives them: floats would be printed with exponents."""
    prices = {"prompt": price.prompt, "completion": price.completion, "request": price.request, "image": 0.0}
    if price.cached_prompt is not None:
        prices["input_cache_read"] = price.cached_prompt
    return {name: format(value, ".12f").rstrip("0").rstrip(".") for name, value in prices.items()}


def parameters_of(card: ModelCard, pool: Pool) -> tuple[str, ...]:
    """The request's fields that a pool obeys, in OpenRouter's order; one that names none obeys the model's."""
    return tuple(sorted(pool.parameters or card.parameters, key=_place))


def _parameters(card: ModelCard, pools: Mapping[Pool, int]) -> frozenset[str]:
    """Of any pool: a request that insists on one goes where it is obeyed."""
    return frozenset(name for pool in pools for name in pool.parameters or card.parameters)


def _place(name: str) -> tuple[int, str]:
    return _PLACES.get(name, len(_PLACES)), name


_PLACES = {name: place for place, name in enumerate(PARAMETERS)}
