"""The official Python client of OpenRouter: what it can ask about models, providers, answers and money."""

from typing import Any

from openrouter import OpenRouter

from tests.conformance.clients.openrouter_sdk import ASKED
from tests.conformance.proves import proves
from tests.conformance.served import Served


def split(model: str) -> dict[str, str]:
    author, _, slug = model.partition("/")
    return {"author": author, "slug": slug}


@proves("GET /model/{author}/{slug}")
def test_openrouter_shows_one_model(openrouter_client: OpenRouter, served: Served) -> None:
    assert served.model == openrouter_client.models.get(**split(served.model)).data.id


@proves("GET /models/user")
def test_openrouter_lists_the_models_of_the_key(openrouter_client: OpenRouter, served: Served) -> None:
    security: Any = {"bearer": served.api_key}
    listed = openrouter_client.models.list_for_user(security=security)
    assert served.model in [model.id for model in listed.result.data]


@proves("GET /models/{author}/{slug}/endpoints")
def test_openrouter_lists_the_endpoints_of_a_model(openrouter_client: OpenRouter, served: Served) -> None:
    data = openrouter_client.endpoints.list(**split(served.model)).data
    assert served.model == data.id
    assert data.endpoints
    assert data.endpoints[0].context_length > 0
    assert data.endpoints[0].provider_name


@proves("GET /endpoints/zdr")
def test_openrouter_lists_the_endpoints_that_keep_nothing(openrouter_client: OpenRouter, served: Served) -> None:
    assert served.model in [each.model_id for each in openrouter_client.endpoints.list_zdr_endpoints().data]


@proves("GET /providers")
def test_openrouter_lists_the_providers(openrouter_client: OpenRouter, served: Served) -> None:
    listed = openrouter_client.providers.list().data
    offering = openrouter_client.endpoints.list(**split(served.model)).data.endpoints[0].provider_name
    assert str(offering) in [provider.name for provider in listed]


@proves("GET /generation")
def test_openrouter_shows_a_generation_at_once(openrouter_client: OpenRouter, served: Served) -> None:
    answer = openrouter_client.chat.send(model=served.model, messages=ASKED, max_tokens=8, stream=False)
    shown = openrouter_client.generations.get_generation(id=answer.id).data
    assert answer.id == shown.id
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == shown.native_tokens_prompt
    assert answer.usage.completion_tokens == shown.native_tokens_completion
    assert answer.usage.cost == shown.total_cost
    assert not shown.streamed
    assert not shown.cancelled


def test_openrouter_shows_a_streamed_generation_at_once(openrouter_client: OpenRouter, served: Served) -> None:
    with openrouter_client.chat.send(model=served.model, messages=ASKED, max_tokens=8, stream=True) as stream:
        last = list(stream)[-1]
    shown = openrouter_client.generations.get_generation(id=last.id).data
    assert shown.streamed
    assert last.usage is not None
    assert last.usage.completion_tokens == shown.native_tokens_completion


@proves("GET /credits", "GET /activity")
def test_openrouter_shows_credits_and_activity(manager: OpenRouter) -> None:
    assert manager.credits.get_credits().data.total_usage >= 0
    rows = manager.analytics.get_user_activity().data
    assert all(row.requests > 0 for row in rows)
