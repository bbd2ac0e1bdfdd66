"""What callers ask about a generation later: who, from where, by which attempts.

Rows of before have none of it. A router of the version before goes on: what it does not write has a default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("generation_ms", "cache_discount"):
        op.add_column("generations", sa.Column(name, sa.BigInteger()))
    for name in (
        "external_user",
        "session_id",
        "referer",
        "title",
        "user_agent",
        "upstream_id",
        "preset_id",
        "service_tier",
        "answers",
        "cached_from",
    ):
        op.add_column("generations", sa.Column(name, sa.Text()))
    for name in ("media", "reasoning_tokens"):
        op.add_column("generations", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
