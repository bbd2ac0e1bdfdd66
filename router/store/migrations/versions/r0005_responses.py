"""Answers of `/responses` that are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SECONDS = sa.Float(53)


def upgrade() -> None:
    op.create_table(
        "responses",
        sa.Column("id", NAME, nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("previous", NAME),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
    )
    op.create_index("ix_responses_workspace_created_at_id", "responses", ["workspace", "created_at", "id"])
    op.create_index("ix_responses_expires_at", "responses", ["expires_at"])
