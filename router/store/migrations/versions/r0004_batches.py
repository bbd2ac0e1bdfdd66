"""Files and batches."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SECONDS = sa.Float(53)


def upgrade() -> None:
    _files()
    _batches()
    _requests()


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("id", NAME, nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("creator", sa.Text()),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("touched_at", SECONDS, nullable=False),
        sa.Column("expires_at", SECONDS),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.id"], name="fk_files_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
    )
    op.create_index("ix_files_workspace_created_at_id", "files", ["workspace", "created_at", "id"])
    op.create_table(
        "file_chunks",
        sa.Column("file", NAME, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file"], ["files.id"], name="fk_file_chunks_file", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file", "number", name="pk_file_chunks"),
    )


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", NAME, nullable=False),
        sa.Column("workspace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("metadata", sa.Text()),
        sa.Column("window_h", sa.BigInteger(), nullable=False),
        sa.Column("input_file", NAME),
        sa.Column("output_file", NAME),
        sa.Column("error_file", NAME),
        sa.Column("output_keep_s", sa.BigInteger()),
        sa.Column("status", NAME, nullable=False),
        sa.Column("outcome", NAME),
        sa.Column("errors", sa.Text()),
        sa.Column("is_loaded", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created_at", SECONDS, nullable=False),
        sa.Column("expires_at", SECONDS, nullable=False),
        sa.Column("in_progress_at", SECONDS),
        sa.Column("finalizing_at", SECONDS),
        sa.Column("cancelling_at", SECONDS),
        sa.Column("ended_at", SECONDS),
        sa.Column("holder", NAME),
        sa.Column("lease_until", SECONDS),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.id"], name="fk_batches_workspace", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_workspace_created_at_id", "batches", ["workspace", "created_at", "id"])
    op.create_index("ix_batches_status", "batches", ["status"])


def _requests() -> None:
    op.create_table(
        "batch_requests",
        sa.Column("batch", NAME, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("custom_id", NAME, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("ready_at", SECONDS, nullable=False),
        sa.Column("holder", NAME),
        sa.Column("lease_until", SECONDS),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="fk_batch_requests_batch", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "number", name="pk_batch_requests"),
        sa.UniqueConstraint("batch", "custom_id", name="uq_batch_requests_batch_custom_id"),
    )
    op.create_index("ix_batch_requests_batch_state_ready_at", "batch_requests", ["batch", "state", "ready_at"])
    op.create_index("ix_batch_requests_state_lease_until", "batch_requests", ["state", "lease_until"])
    op.create_table(
        "batch_results",
        sa.Column("batch", NAME, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("custom_id", NAME, nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("request_id", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("error_type", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("param", sa.Text()),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("at", SECONDS, nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="fk_batch_results_batch", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "number", name="pk_batch_results"),
    )
