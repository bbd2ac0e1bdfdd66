"""The routes that ask a model."""

from collections.abc import Mapping

from router.api.openapi.failures import INFERENCE
from router.api.openapi.operation import Operation
from router.api.openapi.shape import Json

HEADERS = ("x-generation-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_MODEL = "author/model"
_ASKED: Json = {"role": "user", "content": "What is 7 plus 5?"}


def operations(model: str = _MODEL) -> Mapping[str, Operation]:
    """By method and path. `model`: of the examples."""
    small: Json = {"model": model, "messages": [_ASKED], "max_tokens": 16}
    return {
        "POST /chat/completions": Operation(
            "Answer a conversation with text, pictures and tools.",
            "ChatAnswer",
            "inference",
            body="ChatRequest",
            example=small,
            events="ChatChunk",
            errors=INFERENCE,
            headers=HEADERS,
        ),
        "POST /completions": Operation(
            "Continue one or several texts.",
            "CompletionAnswer",
            "inference",
            body="CompletionRequest",
            example={"model": model, "prompt": "Two blue", "max_tokens": 8},
            events="CompletionChunk",
            errors=INFERENCE,
            headers=HEADERS,
        ),
        "POST /responses": Operation(
            "Answer, in the words of OpenAI's Responses.",
            "ResponsesAnswer",
            "inference",
            body="ResponsesRequest",
            example={"model": model, "input": "What is 7 plus 5?", "max_output_tokens": 16},
            events="ResponsesEvent",
            errors=INFERENCE,
            failure="ResponsesError",
            headers=HEADERS,
        ),
        "POST /messages": Operation(
            "Answer, in the words of Anthropic's Messages.",
            "MessagesAnswer",
            "inference",
            body="MessagesRequest",
            example=small,
            events="MessagesEvent",
            errors=(*INFERENCE, 529),
            failure="MessagesError",
            headers=HEADERS,
        ),
        "POST /messages/count_tokens": Operation(
            "How many tokens such a request would have, without asking the model.",
            "CountTokensAnswer",
            "inference",
            body="CountTokensRequest",
            example={"model": model, "messages": [_ASKED]},
            errors=(*INFERENCE, 529),
            failure="MessagesError",
        ),
        "POST /embeddings": Operation(
            "Make vectors of texts, where a pool can.",
            "EmbeddingAnswer",
            "inference",
            body="EmbeddingRequest",
            example={"model": model, "input": ["two blue circles", "a red square"]},
            errors=INFERENCE,
            headers=HEADERS,
        ),
        "POST /rerank": Operation(
            "Put documents in the order of their relevance, where a pool can.",
            "RerankAnswer",
            "inference",
            body="RerankRequest",
            example={"model": model, "query": "What is blue?", "documents": ["the sky", "grass"], "top_n": 1},
            errors=INFERENCE,
            headers=HEADERS,
        ),
    }
