"""OpenRouter's own client manages keys, workspaces and guardrails of a real server with a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openrouter import OpenRouter
from openrouter.errors import OpenRouterError

from tests.router.api.accounts_app import CALLER, MANAGER
from tests.router.api.accounts_served import served

# the client warns of its own deprecated fields
pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with served(f"sqlite:///{tmp_path}/router.db") as url:
        yield url


def test_a_key_lives_its_life_through_the_official_client(server: str) -> None:
    with OpenRouter(api_key=MANAGER, server_url=server) as manager:
        expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
        made = manager.api_keys.create(name="team a", limit=50, limit_reset="monthly", expires_at=expires_at)
        assert made.key.startswith("sk-or-v1-")
        assert (made.data.name, made.data.limit, made.data.limit_reset) == ("team a", 50, "monthly")
        assert made.data.expires_at == expires_at
        assert made.data.label == f"{made.key[:12]}...{made.key[-3:]}"

        with OpenRouter(api_key=made.key, server_url=server) as holder:
            own = holder.api_keys.get_current_key_metadata().data
            assert (own.label, own.limit_remaining, own.is_management_key) == (made.data.label, 50, False)
            assert [(budget.scope, budget.limit_usd, budget.reset_interval) for budget in own.budgets] == [
                ("key_limit", 50, "monthly")
            ]
            assert own.effective_budget == own.budgets[0]

        changed = manager.api_keys.update(hash=made.data.hash, name="team b", limit=None, disabled=True)
        assert (changed.data.name, changed.data.limit, changed.data.disabled) == ("team b", None, True)
        assert manager.api_keys.get(hash=made.data.hash).data.model_dump() == changed.data.model_dump()
        assert [key.hash for key in manager.api_keys.list(include_disabled=True).data] == [made.data.hash]
        assert manager.api_keys.list().data == []
        with OpenRouter(api_key=made.key, server_url=server) as holder:
            with pytest.raises(OpenRouterError, match="disabled") as refused:
                holder.api_keys.get_current_key_metadata()
            assert refused.value.status_code == 401

        assert manager.api_keys.delete(hash=made.data.hash).DELETED is True
        with pytest.raises(OpenRouterError) as gone:
            manager.api_keys.get(hash=made.data.hash)
        assert gone.value.status_code == 404


def test_workspaces_and_guardrails_hold_for_the_keys_in_them(server: str) -> None:
    with OpenRouter(api_key=MANAGER, server_url=server) as manager:
        workspace = manager.workspaces.create(name="Research", slug="research").data
        assert manager.workspaces.get(id="research").data == workspace
        budget = manager.workspaces.set_budget(workspace_ref=workspace.id, interval="daily", limit_usd=20).data
        assert [each.id for each in manager.workspaces.list_budgets(workspace_ref="research").data] == [budget.id]
        key = manager.api_keys.create(name="reader", workspace_id=workspace.id)
        guardrail = manager.guardrails.create(
            name="small", limit_usd=5, reset_interval="weekly", allowed_models=["m/eyes"], workspace_id=workspace.id
        ).data
        assigned = manager.guardrails.bulk_assign_keys(id=guardrail.id, key_hashes=[key.data.hash])
        assert assigned.assigned_count == 1
        listed = manager.guardrails.list_key_assignments()
        assert listed is not None
        assert [each.key_hash for each in listed.result.data] == [key.data.hash]

        with OpenRouter(api_key=key.key, server_url=server) as holder:
            own = holder.api_keys.get_current_key_metadata().data
            assert [(each.scope, each.limit_usd) for each in own.budgets] == [("api_key", 5), ("workspace", 20)]
            assert own.budgets[0].guardrail_id == guardrail.id
            assert own.budgets[1].budget_id == budget.id
            assert own.effective_budget == own.budgets[0]

        assert manager.guardrails.bulk_unassign_keys(id=guardrail.id, key_hashes=[key.data.hash]).unassigned_count == 1
        assert manager.guardrails.update(id=guardrail.id, name="tiny").data.limit_usd == 5
        ruled = manager.guardrails.update(
            id=guardrail.id,
            content_filters=[{"pattern": "sk-[a-z]+", "action": "redact", "label": "[API_KEY]"}],
            content_filter_builtins=[
                {"slug": "regex-prompt-injection", "action": "block", "scan_scope": "user_only"},
                {"slug": "secrets", "action": "flag"},
            ],
            enforce_zdr_other=True,
            enable_paid_model_training=False,
        ).data
        assert ruled == manager.guardrails.get(id=guardrail.id).data
        assert ruled.content_filters is not None
        assert [(each.pattern, each.action, each.label) for each in ruled.content_filters] == [
            ("sk-[a-z]+", "redact", "[API_KEY]")
        ]
        assert ruled.content_filter_builtins is not None
        assert [(each.slug, each.label, each.scan_scope) for each in ruled.content_filter_builtins] == [
            ("regex-prompt-injection", "[PROMPT_INJECTION]", "user_only"),
            ("secrets", "[REDACTED]", "all_messages"),
        ]
        assert (ruled.enforce_zdr_other, ruled.enable_paid_model_training) == (True, False)
        assert manager.guardrails.delete(id=guardrail.id).DELETED is True
        assert manager.workspaces.delete_budget(workspace_ref="research", interval="daily").DELETED is True
        assert manager.api_keys.delete(hash=key.data.hash).DELETED is True
        assert manager.workspaces.update(id=workspace.id, name="Old").data.name == "Old"
        assert manager.workspaces.delete(id=workspace.id).DELETED is True
        left = manager.workspaces.list()
        assert left is not None
        assert [each.id for each in left.result.data] == ["default"]


def test_an_inference_key_manages_nothing(server: str) -> None:
    with OpenRouter(api_key=CALLER, server_url=server) as caller:
        with pytest.raises(OpenRouterError, match="Only management keys") as refused:
            caller.api_keys.create(name="mine")
        assert refused.value.status_code == 403
        assert caller.api_keys.get_current_key_metadata().data.label == "caller"
