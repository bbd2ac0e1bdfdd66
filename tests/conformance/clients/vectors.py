"""Official clients where a pool has embeddings and rankings (with real models: tests/e2e/test_vectors.py)."""

from typing import Any

import openai
from openrouter import OpenRouter

from tests.conformance.proves import proves
from tests.conformance.served import Served


@proves("POST /embeddings")
def test_openai_makes_embeddings(openai_client: openai.OpenAI, served: Served) -> None:
    """The client asks for base64 by itself, and decodes it."""
    made = openai_client.embeddings.create(model=served.vector_model, input=["two circles", "a square"])
    assert [0, 1] == [each.index for each in made.data]
    assert [0.5, -0.25, 1.0] == made.data[0].embedding
    assert made.usage.prompt_tokens > 0


@proves("POST /embeddings", "POST /rerank")
def test_openrouter_makes_embeddings_and_rankings(openrouter_client: OpenRouter, served: Served) -> None:
    made: Any = openrouter_client.embeddings.generate(model=served.vector_model, input="two circles")
    assert made.data[0].embedding
    ranked: Any = openrouter_client.rerank.rerank(
        model=served.rank_model, query="What is blue?", documents=["the sky", "grass"], top_n=1
    )
    assert [0] == [result.index for result in ranked.results]
