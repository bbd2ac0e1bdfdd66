"""The tables. What is changed here needs a migration beside it (`migrations/versions`); a test holds them together.

Money is in nano-dollars, times are unix seconds, lists are JSON. Names are compared byte by byte, so that all routers
lock rows in the same order, whatever the database's locale.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0006"  # the latest migration's

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

NAME = Text().with_variant(Text(collation="C"), "postgresql")
SECONDS = Float(53)

# Revisions whose routers can use the schema as it is; each migration writes it anew (`router.store.migrate`).
schema_readers = Table("schema_readers", METADATA, Column("revision", NAME, primary_key=True))

workspaces = Table(
    "workspaces",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("slug", NAME, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("include_byok", Boolean, nullable=False, server_default=text("false")),  # in budgets
    Column("other", Text, nullable=False, server_default="{}"),  # JSON: settings that the router only keeps
    Column("creator", Text),
    Column("created_at", SECONDS, nullable=False),
    Column("updated_at", SECONDS),
)

workspace_budgets = Table(
    "workspace_budgets",
    METADATA,
    Column("workspace", NAME, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("interval", NAME, primary_key=True),
    Column("id", NAME, nullable=False, unique=True),
    Column("limit_nano", BigInteger, nullable=False),
    Column("created_at", SECONDS, nullable=False),
    Column("updated_at", SECONDS, nullable=False),
)

keys = Table(
    "keys",
    METADATA,
    Column("id", NAME, primary_key=True),  # SHA-256 of the secret, hexadecimal
    Column("label", Text, nullable=False),  # what may be shown of the secret
    Column("name", Text, nullable=False),
    Column("workspace", NAME, ForeignKey("workspaces.id"), nullable=False),
    Column("is_management", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("expires_at", SECONDS),
    Column("limit_nano", BigInteger),
    Column("limit_reset", NAME, nullable=False),  # the interval; `lifetime`: never
    Column("include_byok", Boolean, nullable=False),  # in the limit
    Column("requests_per_min", BigInteger),
    Column("tokens_per_min", BigInteger),
    Column("concurrent", BigInteger),
    Column("priority", Integer, nullable=False),
    Column("models", Text),
    Column("providers", Text),
    Column("creator", Text),
    Column("external_user", Text),
    Column("created_at", SECONDS, nullable=False),
    Column("updated_at", SECONDS),
    Column("last_used_at", SECONDS),
    Index(None, "workspace", "created_at", "id"),
)

guardrails = Table(
    "guardrails",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("workspace", NAME, ForeignKey("workspaces.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("limit_nano", BigInteger),
    Column("limit_reset", NAME),
    Column("include_byok", Boolean, nullable=False),
    Column("allowed_models", Text),
    Column("ignored_models", Text),
    Column("allowed_providers", Text),
    Column("ignored_providers", Text),
    Column("other", Text, nullable=False),  # JSON: the other rules (see other_rules)
    Column("created_at", SECONDS, nullable=False),
    Column("updated_at", SECONDS),
    Index(None, "workspace", "created_at", "id"),
)

guardrail_keys = Table(
    "guardrail_keys",
    METADATA,
    Column("guardrail", NAME, ForeignKey("guardrails.id", ondelete="CASCADE"), primary_key=True),
    Column("key", NAME, ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True),
    Column("id", NAME, nullable=False, unique=True),
    Column("assigned_by", Text),
    Column("created_at", SECONDS, nullable=False),
    Index(None, "key"),
)

# What was spent in each window: the sum of the rows below, kept by whoever adds one.
spend = Table(
    "spend",
    METADATA,
    Column("owner", NAME, primary_key=True),
    Column("interval", NAME, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("nano", BigInteger, nullable=False),
    # rows are changed all the time, and the new version finds room on the same page
    postgresql_with={"fillfactor": 50},
)

# What routers hold of windows' budgets, as long as they say that they live.
leases = Table(
    "leases",
    METADATA,
    Column("owner", NAME, primary_key=True),
    Column("interval", NAME, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("router", NAME, primary_key=True),
    Column("nano", BigInteger, nullable=False),
    Column("expires_at", SECONDS, nullable=False),  # by the database's clock
    CheckConstraint("nano >= 0", name="not_negative"),
    Index(None, "router"),
    Index(None, "expires_at"),
    postgresql_with={"fillfactor": 50},
)

# The ledger: protocol.entry.Entry, field by field. Keys and workspaces may be gone, or were never here.
generations = Table(
    "generations",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("created", SECONDS, nullable=False),
    Column("day", BigInteger, nullable=False),  # midnight before `created`
    Column("router", Text, nullable=False),
    Column("key", NAME, nullable=False),
    Column("workspace", NAME, nullable=False),
    Column("kind", Text, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("requested", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("http_status", Integer),
    Column("finish_reason", Text),
    Column("native_finish_reason", Text),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("image_tokens", BigInteger, nullable=False),
    Column("is_exact", Boolean, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("latency_ms", BigInteger),
    Column("duration_ms", BigInteger),
    Column("generation_ms", BigInteger),
    Column("external_user", Text),
    Column("session_id", Text),
    Column("referer", Text),
    Column("title", Text),
    Column("user_agent", Text),
    Column("upstream_id", Text),
    Column("preset_id", Text),
    Column("service_tier", Text),
    Column("answers", Text),  # JSON
    Column("media", BigInteger, nullable=False, server_default="0"),
    Column("reasoning_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cache_discount", BigInteger),
    Column("cached_from", Text),
    Index(None, "key", "created"),
    Index(None, "workspace", "created"),
    Index(None, "created"),
)

# What engines said they computed, for the ledger to be held against: the last look of each hour in which it changed.
meter = Table(
    "meter",
    METADATA,
    Column("endpoint", NAME, primary_key=True),
    Column("router", NAME, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),  # unix milliseconds
    Column("hour", BigInteger, primary_key=True),  # its beginning
    Column("pool", NAME, nullable=False),
    Column("first_prompt", BigInteger, nullable=False),
    Column("first_generation", BigInteger, nullable=False),
    Column("prompt", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("at", SECONDS, nullable=False),
    Index(None, "at"),
)

presets = Table(
    "presets",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("workspace", NAME, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("slug", NAME, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("status", Text, nullable=False),
    Column("designated", BigInteger, nullable=False),  # the version that requests get
    Column("creator", Text),
    Column("created_at", SECONDS, nullable=False),
    Column("updated_at", SECONDS, nullable=False),
    UniqueConstraint("workspace", "slug"),
    Index(None, "workspace", "updated_at"),
)

preset_versions = Table(
    "preset_versions",
    METADATA,
    Column("preset", NAME, ForeignKey("presets.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("id", NAME, nullable=False, unique=True),
    Column("system_prompt", Text),
    Column("config", Text, nullable=False),  # JSON object
    Column("creator", Text, nullable=False),
    Column("created_at", SECONDS, nullable=False),
)

# Files of callers, and those that batches make. What is in them is in `file_chunks`.
files = Table(
    "files",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("workspace", NAME, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes that have arrived
    Column("sha256", Text),  # hexadecimal; NULL: it is still arriving, and nobody sees it
    Column("creator", Text),  # id of a key
    Column("created_at", SECONDS, nullable=False),
    Column("touched_at", SECONDS, nullable=False),  # when its last chunk came
    Column("expires_at", SECONDS),
    Index(None, "workspace", "created_at", "id"),
)

file_chunks = Table(
    "file_chunks",
    METADATA,
    Column("file", NAME, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True),  # from 0
    Column("data", LargeBinary, nullable=False),
)

batches = Table(
    "batches",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("workspace", NAME, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("key", NAME, nullable=False),  # its requests are this key's
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider", Text),  # JSON: preferences of all its requests
    Column("metadata", Text),  # JSON
    Column("window_h", BigInteger, nullable=False),
    Column("input_file", NAME),  # NULL: the requests came with the batch
    Column("output_file", NAME),
    Column("error_file", NAME),
    Column("output_keep_s", BigInteger),
    Column("status", NAME, nullable=False),
    Column("outcome", NAME),  # what the status will be when nothing of it runs any more
    Column("errors", Text),  # JSON: why it failed
    Column("is_loaded", Boolean, nullable=False),  # false: its requests are still being written, and nobody sees it
    Column("total", BigInteger, nullable=False),  # requests
    Column("created_at", SECONDS, nullable=False),
    Column("expires_at", SECONDS, nullable=False),
    Column("in_progress_at", SECONDS),
    Column("finalizing_at", SECONDS),
    Column("cancelling_at", SECONDS),
    Column("ended_at", SECONDS),
    Column("holder", NAME),  # the router that loads or finalises it
    Column("lease_until", SECONDS),  # by the database's clock
    Index(None, "workspace", "created_at", "id"),
    Index(None, "status"),
)

batch_requests = Table(
    "batch_requests",
    METADATA,
    Column("batch", NAME, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True),  # its place in the batch, from 0
    Column("custom_id", NAME, nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON; empty as soon as there is a result
    Column("state", NAME, nullable=False),  # waiting, running, done
    Column("ready_at", SECONDS, nullable=False),  # not before; by the database's clock
    Column("holder", NAME),  # the router that runs it
    Column("lease_until", SECONDS),
    Column("claims", BigInteger, nullable=False),  # how often it was begun: whose claim is an old one cannot end it
    Column("failures", BigInteger, nullable=False),  # of those that count
    UniqueConstraint("batch", "custom_id"),
    Index(None, "batch", "state", "ready_at"),
    Index(None, "state", "lease_until"),
)

# One row for each request that is done: a second one cannot be.
batch_results = Table(
    "batch_results",
    METADATA,
    Column("batch", NAME, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("custom_id", NAME, nullable=False),
    Column("status_code", Integer),  # NULL: it was not sent
    Column("request_id", Text),
    Column("body", LargeBinary),
    Column("error_type", Text),  # NULL: it was answered
    Column("message", Text),
    Column("param", Text),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("at", SECONDS, nullable=False),
)

# Answers of `/responses` that callers want kept. Keys and workspaces may be gone, or were never here.
responses = Table(
    "responses",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("workspace", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("previous", NAME),  # the answer that it went on from, which may be gone
    Column("created_at", SECONDS, nullable=False),
    Column("expires_at", SECONDS, nullable=False),
    Column("model", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("input", LargeBinary, nullable=False),  # JSON: all items that were answered, of earlier requests too
    Column("response", LargeBinary, nullable=False),  # JSON: what the caller got
    Index(None, "workspace", "created_at", "id"),
    Index(None, "expires_at"),
)
