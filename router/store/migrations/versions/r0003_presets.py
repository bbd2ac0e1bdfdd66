"""Presets and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SECONDS = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "presets",
        sa.Column("id", NAME, nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("slug", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("designated", sa.BigInteger(), nullable=False),
        sa.Column("creator", sa.Text()),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("updated_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.id"], name="fk_presets_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_presets"),
        sa.UniqueConstraint("workspace", "slug", name="uq_presets_workspace_slug"),
    )
    op.create_index("ix_presets_workspace_updated_at", "presets", ["workspace", "updated_at"])
    op.create_table(
        "preset_versions",
        sa.Column("preset", NAME, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("system_prompt", sa.Text()),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["preset"], ["presets.id"], name="fk_preset_versions_preset", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("preset", "version", name="pk_preset_versions"),
        sa.UniqueConstraint("id", name="uq_preset_versions_id"),
    )
