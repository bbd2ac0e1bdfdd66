"""The official Python client of OpenRouter against a router. Its types are strict: what it takes, most take."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openrouter import OpenRouter, errors

from serving.pocket.tasks.tools import definition
from tests.conformance.clients.pictures import picture_messages
from tests.conformance.proves import proves
from tests.conformance.served import Served

ASKED: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
YEAR_S = timedelta(days=365)


@pytest.fixture
def openrouter_client(served: Served) -> Iterator[OpenRouter]:
    with OpenRouter(server_url=served.base_url, api_key=served.api_key) as client:
        yield client


@pytest.fixture
def manager(served: Served) -> Iterator[OpenRouter]:
    """The same client with a management key."""
    with OpenRouter(server_url=served.base_url, api_key=served.management_key) as client:
        yield client


@proves("POST /chat/completions")
def test_openrouter_gets_a_whole_answer(openrouter_client: OpenRouter, served: Served) -> None:
    answer = openrouter_client.chat.send(
        model=served.model, messages=picture_messages(), max_tokens=8, temperature=0, stream=False
    )
    assert answer.choices[0].message.content
    assert answer.id.startswith("gen-")
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0
    assert isinstance(answer.usage.cost, float)
    assert answer.usage.cost > 0


@proves("POST /chat/completions")
def test_openrouter_streams(openrouter_client: OpenRouter, served: Served) -> None:
    with openrouter_client.chat.send(model=served.model, messages=ASKED, max_tokens=8, stream=True) as stream:
        chunks = list(stream)
    assert "".join(str(chunk.choices[0].delta.content or "") for chunk in chunks)
    assert chunks[-1].usage is not None
    assert isinstance(chunks[-1].usage.cost, float)


def test_openrouter_calls_a_tool(openrouter_client: OpenRouter, served: Served) -> None:
    tools: Any = [definition("get_weather")]
    with openrouter_client.chat.send(
        model=served.tool_model, messages=ASKED, tools=tools, tool_choice="required", temperature=0, stream=True
    ) as stream:
        deltas = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or []]
    assert deltas[0].function is not None
    assert "get_weather" == deltas[0].function.name


@proves("GET /models", "GET /models/count")
def test_openrouter_lists_and_counts_the_models(openrouter_client: OpenRouter, served: Served) -> None:
    listed = openrouter_client.models.list().result.data
    models = {model.id: model for model in listed}
    assert models[served.model].architecture.modality == "text+image->text"
    assert "temperature" in [str(name) for name in models[served.model].supported_parameters]
    assert len(models) == openrouter_client.models.count().data.count


@pytest.mark.filterwarnings("ignore:.*DEPRECATED")  # the client says so of `rate_limit`, which it insists on
@proves("GET /key")
def test_openrouter_shows_the_key_that_asks(openrouter_client: OpenRouter, manager: OpenRouter) -> None:
    key = openrouter_client.api_keys.get_current_key_metadata().data
    assert not key.is_management_key
    assert key.limit is None
    assert manager.api_keys.get_current_key_metadata().data.is_management_key


@proves("GET /keys", "POST /keys", "GET /keys/{hash}", "PATCH /keys/{hash}", "DELETE /keys/{hash}")
def test_openrouter_makes_changes_and_deletes_a_key(manager: OpenRouter, served: Served) -> None:
    expires_at = datetime.now(UTC).replace(microsecond=0) + YEAR_S
    made = manager.api_keys.create(name="crud", limit=5.0, limit_reset="monthly", expires_at=expires_at)
    key = made.data.hash
    assert (5.0, 5.0, "monthly") == (made.data.limit, made.data.limit_remaining, made.data.limit_reset)
    assert expires_at == made.data.expires_at
    assert 200 == served.ask("GET", "/key", key=made.key).status_code
    assert key in [each.hash for each in manager.api_keys.list().data]
    changed = manager.api_keys.update(hash=key, name="renamed", disabled=True, limit=None)
    assert ("renamed", True, None) == (changed.data.name, changed.data.disabled, changed.data.limit)
    assert "renamed" == manager.api_keys.get(hash=key).data.name
    assert manager.api_keys.delete(hash=key).DELETED
    with pytest.raises(errors.NotFoundResponseError, match="API key not found"):
        manager.api_keys.get(hash=key)


@proves(
    "GET /guardrails",
    "POST /guardrails",
    "GET /guardrails/{id}",
    "PATCH /guardrails/{id}",
    "DELETE /guardrails/{id}",
    "GET /guardrails/assignments/keys",
    "GET /guardrails/{id}/assignments/keys",
    "POST /guardrails/{id}/assignments/keys",
    "POST /guardrails/{id}/assignments/keys/remove",
)
def test_openrouter_makes_assigns_and_deletes_a_guardrail(manager: OpenRouter, served: Served) -> None:
    key = manager.api_keys.create(name="guarded").data.hash
    made = manager.guardrails.create(
        name="spend little", limit_usd=2.5, reset_interval="daily", allowed_models=[served.model]
    ).data
    assert (2.5, "daily", [served.model]) == (made.limit_usd, made.reset_interval, made.allowed_models)
    assert made.id in [each.id for each in manager.guardrails.list().result.data]
    assert 1 == manager.guardrails.bulk_assign_keys(id=made.id, key_hashes=[key]).assigned_count
    assigned = manager.guardrails.list_guardrail_key_assignments(id=made.id).result.data
    assert [key] == [each.key_hash for each in assigned]
    assert key in [each.key_hash for each in manager.guardrails.list_key_assignments().result.data]
    assert 1 == manager.guardrails.bulk_unassign_keys(id=made.id, key_hashes=[key]).unassigned_count
    assert "spend" == manager.guardrails.update(id=made.id, name="spend").data.name
    assert "spend" == manager.guardrails.get(id=made.id).data.name
    assert manager.guardrails.delete(id=made.id).DELETED
    manager.api_keys.delete(hash=key)


@proves(
    "GET /workspaces", "POST /workspaces", "GET /workspaces/{id}", "PATCH /workspaces/{id}", "DELETE /workspaces/{id}"
)
def test_openrouter_makes_a_workspace_and_its_budget(manager: OpenRouter) -> None:
    made = manager.workspaces.create(name="Research", slug="research-of-clients").data
    assert made.id in [each.id for each in manager.workspaces.list().result.data]
    assert "Research" == manager.workspaces.get(id=made.id).data.name
    assert "Search" == manager.workspaces.update(id=made.id, name="Search").data.name
    assert manager.workspaces.delete(id=made.id).DELETED


def test_openrouter_raises_typed_errors(openrouter_client: OpenRouter, manager: OpenRouter, served: Served) -> None:
    with pytest.raises(errors.BadRequestResponseError, match="is not a valid model ID"):
        openrouter_client.chat.send(model="m/none", messages=ASKED, stream=False)
    with pytest.raises(errors.BadRequestResponseError, match="is not a valid model ID"):
        openrouter_client.chat.send(model="m/none", messages=ASKED, stream=True)
    with pytest.raises(errors.ForbiddenResponseError, match="Management keys cannot"):
        manager.chat.send(model=served.model, messages=ASKED, stream=False)
    with (
        OpenRouter(server_url=served.base_url, api_key="sk-or-v1-wrong") as stranger,
        pytest.raises(errors.UnauthorizedResponseError, match="User not found"),
    ):
        stranger.api_keys.get_current_key_metadata()
