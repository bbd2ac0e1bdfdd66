"""Answers without tokens: embeddings and rankings in OpenRouter's shape. Vectors and documents pass as raw JSON."""

import msgspec

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.reshape import Answer
from router.protocol.usage import cost, prompt_cost
from router.protocol.wire import EngineUsage, read


class _Embedding(msgspec.Struct):
    embedding: msgspec.Raw
    index: int = 0


class _Embeddings(msgspec.Struct):
    data: list[_Embedding]
    usage: EngineUsage


class _Document(msgspec.Struct):
    text: str | None = None


class _Result(msgspec.Struct):
    index: int
    relevance_score: float
    document: _Document


class _Ranking(msgspec.Struct):
    results: list[_Result]
    usage: EngineUsage


_embeddings = msgspec.json.Decoder(_Embeddings)
_ranking = msgspec.json.Decoder(_Ranking)


def reshape_embeddings(
    body: bytes,
    identity: Identity,
    price: Price,
    *,
    prompt_tokens: int = 0,
    explained: dict[str, object] | None = None,
) -> Answer:
    """Rewrite the answer of vLLM's `/v1/embeddings`. Raises ValueError: the body is none."""
    answer: _Embeddings = read(_embeddings, body)
    if not answer.data:
        raise ValueError("the answer has no embeddings")
    usage = answer.usage.read()
    data = [{"object": "embedding", "index": each.index, "embedding": each.embedding} for each in answer.data]
    more: dict[str, object] = {"prompt_tokens": usage.prompt_tokens}
    return _answer({"object": "list", "data": data}, usage, more, identity, price, explained)


def reshape_ranking(
    body: bytes,
    identity: Identity,
    price: Price,
    *,
    prompt_tokens: int = 0,
    explained: dict[str, object] | None = None,
) -> Answer:
    """Rewrite the answer of vLLM's `/v1/rerank`: the most relevant document first. Raises ValueError: it is none."""
    answer: _Ranking = read(_ranking, body)
    usage = answer.usage.read()
    results = [
        {"index": each.index, "relevance_score": each.relevance_score, "document": {"text": each.document.text or ""}}
        for each in answer.results
    ]
    return _answer({"results": results}, usage, {"search_units": 1}, identity, price, explained)


def _answer(
    said: dict[str, object],
    usage: Usage,
    more: dict[str, object],
    identity: Identity,
    price: Price,
    explained: dict[str, object] | None,
) -> Answer:
    spent = {
        "total_tokens": usage.prompt_tokens,
        "cost": cost(usage, price),
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": prompt_cost(usage, price),
            "upstream_inference_completions_cost": 0.0,
        },
    }
    body = {
        "id": identity.generation_id,
        "provider": identity.provider,
        "model": identity.model,
        "created": identity.created,
        **said,
        "usage": more | spent,
    }
    if explained is not None:
        body["openrouter_metadata"] = explained
    return Answer(msgspec.json.encode(body), usage, None, None)
