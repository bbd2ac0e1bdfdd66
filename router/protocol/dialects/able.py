"""What a foreign provider cannot be asked at all, as opposed to parameters that are dropped.

Dropping these would give an answer of another kind than was asked for, so the pool is passed over with this reason.
"""

from router.policy.catalog import Dialect
from router.protocol.dialects.source import Source

# of response_format; vLLM's grammars, and those made from a schema for XML or YAML, are for engines of ours alone
_FORMATS = frozenset({"text", "json_object", "json_schema"})


def cannot(source: Source, dialect: Dialect) -> str | None:
    """The field that no endpoint of this foreign dialect can be asked for; None: all can be said."""
    form = source.value("response_format")
    if isinstance(form, dict) and form.get("type") not in _FORMATS:
        return "response_format"
    if dialect is Dialect.OPENAI:
        return None
    if source.kind != "chat":
        return {"completions": "prompt", "embeddings": "input"}.get(source.kind, "query")
    if (source.value("n") or 1) > 1:
        return "n"
    return None
