"""What can be called: prices, endpoints and pools. Values only; who is alive is decided elsewhere."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

EndpointId = NewType("EndpointId", str)


@dataclass(frozen=True, slots=True)
class Price:
    """USD per token (`request`: USD per request)."""

    prompt: float = 0.0
    completion: float = 0.0
    cached_prompt: float | None = None  # None: cached tokens cost as much as others
    request: float = 0.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that answers. `id` is stable over the endpoint's life and unique in the router."""

    id: EndpointId
    url: str  # base URL without a trailing slash, e.g. http://10.0.0.7:30000


class Dialect(Enum):
    """What a pool's endpoints speak."""

    VLLM = "vllm"  # our own engines: all of vLLM's fields, constrained decoding, metrics, cache events
    OPENAI = "openai"  # a provider of OpenAI's chat completions, or of OpenRouter's
    ANTHROPIC = "anthropic"  # a provider of Anthropic's messages


@dataclass(frozen=True, slots=True)
class Pool:
    """Interchangeable endpoints of one provider for one model. Which endpoints are in it changes: see Directory."""

    name: str
    model: str  # the slug callers ask for
    upstream_model: str  # the name the engines serve it under
    provider: str = "local"  # its name, as answers show it
    slug: str = "local"  # the provider's, as callers name it in `provider.order` and the like: `openai`, `openai/eu`
    dialect: Dialect = Dialect.VLLM
    trains: bool = False  # the provider may keep prompts and learn from them
    retains: bool = False  # the provider keeps prompts for some time: not for callers who ask for zero data retention
    price: Price = Price()
    context_length: int = 131_072  # tokens
    max_completion_tokens: int | None = None  # tokens; None: whatever the context leaves
    input_modalities: frozenset[str] = frozenset({"text"})
    outputs: frozenset[str] = frozenset({"text"})  # of text, embeddings, rerank
    parameters: frozenset[str] = field(default_factory=frozenset)  # request fields the engines obey
    quantization: str | None = None
    adapter: str | None = None  # the LoRA adapter that `upstream_model` names
    tier: int = 0  # lower ones first by default: own engines before what is paid for elsewhere
    is_distillable: bool = True  # the model's licence lets its answers train another
