"""Whose routers can use the schema, so that one of an older version that starts knows that it may."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "schema_readers",
        sa.Column("revision", NAME, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_schema_readers"),
    )
