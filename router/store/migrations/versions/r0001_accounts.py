"""Accounts, budgets, the ledger and the engines' meter."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SECONDS = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "generations",
        sa.Column("id", NAME, nullable=False),
        sa.Column("created", SECONDS, nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("router", sa.Text(), nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("streamed", sa.Boolean(), nullable=False),
        sa.Column("requested", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("http_status", sa.Integer()),
        sa.Column("finish_reason", sa.Text()),
        sa.Column("native_finish_reason", sa.Text()),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("image_tokens", sa.BigInteger(), nullable=False),
        sa.Column("is_exact", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("latency_ms", sa.BigInteger()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_generations"),
    )
    op.create_index("ix_generations_created", "generations", ["created"])
    op.create_index("ix_generations_key_created", "generations", ["key", "created"])
    op.create_index("ix_generations_workspace_created", "generations", ["workspace", "created"])
    op.create_table(
        "leases",
        sa.Column("owner", NAME, nullable=False),
        sa.Column("interval", NAME, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("router", NAME, nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.CheckConstraint("nano >= 0", name="ck_leases_not_negative"),
        sa.PrimaryKeyConstraint("owner", "interval", "start", "router", name="pk_leases"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("ix_leases_expires_at", "leases", ["expires_at"])
    op.create_index("ix_leases_router", "leases", ["router"])
    op.create_table(
        "meter",
        sa.Column("endpoint", NAME, nullable=False),
        sa.Column("router", NAME, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("pool", NAME, nullable=False),
        sa.Column("first_prompt", sa.BigInteger(), nullable=False),
        sa.Column("first_generation", sa.BigInteger(), nullable=False),
        sa.Column("prompt", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "router", "epoch", "hour", name="pk_meter"),
    )
    op.create_index("ix_meter_at", "meter", ["at"])
    op.create_table(
        "spend",
        sa.Column("owner", NAME, nullable=False),
        sa.Column("interval", NAME, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "interval", "start", name="pk_spend"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "workspaces",
        sa.Column("id", NAME, nullable=False),
        sa.Column("slug", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("include_byok", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("other", sa.Text(), server_default="{}", nullable=False),
        sa.Column("creator", sa.Text()),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("slug", name="uq_workspaces_slug"),
    )
    op.create_table(
        "guardrails",
        sa.Column("id", NAME, nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("limit_nano", sa.BigInteger()),
        sa.Column("limit_reset", NAME),
        sa.Column("include_byok", sa.Boolean(), nullable=False),
        sa.Column("allowed_models", sa.Text()),
        sa.Column("ignored_models", sa.Text()),
        sa.Column("allowed_providers", sa.Text()),
        sa.Column("ignored_providers", sa.Text()),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.id"], name="fk_guardrails_workspace"),
        sa.PrimaryKeyConstraint("id", name="pk_guardrails"),
    )
    op.create_index("ix_guardrails_workspace_created_at_id", "guardrails", ["workspace", "created_at", "id"])
    op.create_table(
        "keys",
        sa.Column("id", NAME, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("is_management", sa.Boolean(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("expires_at", SECONDS),
        sa.Column("limit_nano", sa.BigInteger()),
        sa.Column("limit_reset", NAME, nullable=False),
        sa.Column("include_byok", sa.Boolean(), nullable=False),
        sa.Column("requests_per_min", sa.BigInteger()),
        sa.Column("tokens_per_min", sa.BigInteger()),
        sa.Column("concurrent", sa.BigInteger()),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("models", sa.Text()),
        sa.Column("providers", sa.Text()),
        sa.Column("creator", sa.Text()),
        sa.Column("external_user", sa.Text()),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS),
        sa.Column("last_used_at", SECONDS),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.id"], name="fk_keys_workspace"),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
    op.create_index("ix_keys_workspace_created_at_id", "keys", ["workspace", "created_at", "id"])
    op.create_table(
        "workspace_budgets",
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("interval", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("limit_nano", sa.BigInteger(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_workspace_budgets_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "interval", name="pk_workspace_budgets"),
        sa.UniqueConstraint("id", name="uq_workspace_budgets_id"),
    )
    op.create_table(
        "guardrail_keys",
        sa.Column("guardrail", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("assigned_by", sa.Text()),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["guardrail"], ["guardrails.id"], name="fk_guardrail_keys_guardrail", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["key"], ["keys.id"], name="fk_guardrail_keys_key", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("guardrail", "key", name="pk_guardrail_keys"),
        sa.UniqueConstraint("id", name="uq_guardrail_keys_id"),
    )
    op.create_index("ix_guardrail_keys_key", "guardrail_keys", ["key"])
    # where keys are that name no workspace
    op.execute("INSERT INTO workspaces (id, slug, name, created_at) VALUES ('default', 'default', 'Default', 0)")
