"""Which fields of a request go on to a foreign provider.

OpenAI and Mistral refuse a request for a field that they do not know, so only those go that the pool is said to obey;
what is dropped is dropped as OpenRouter drops parameters that an endpoint does not support. A caller who means one
provider names it: `provider.options.<slug>`. There nothing can be set that the router reads itself, because limits and
budgets were checked against those fields.
"""

import msgspec

from router.policy.catalog import Pool
from router.protocol.dialects.source import Source
from router.protocol.fields import CHAT, COMPLETIONS, EMBEDDINGS, RERANK
from router.protocol.forbidden import refusal

# Written by the dialect, or meant for the router alone, whatever a pool is said to obey.
_NEVER = frozenset(
    "model models messages prompt stream stream_options max_tokens max_completion_tokens provider route plugins "
    "transforms preset trace debug usage structured_outputs user tools tool_choice response_format".split()
)
_OURS = frozenset().union(CHAT, COMPLETIONS, EMBEDDINGS, RERANK)
# Of Anthropic's messages, what the router writes, and what would reach out of the provider at the operator's cost.
_ANTHROPIC = frozenset("system stop_sequences thinking output_config output_format mcp_servers container".split())


def parameters(source: Source, pool: Pool) -> dict[str, bytes]:
    """Fields that go as they came, raw JSON by name; not what the dialect writes itself."""
    return {name: bytes(raw) for name, raw in source.fields.items() if name in pool.parameters and name not in _NEVER}


def options(source: Source, pool: Pool) -> dict[str, msgspec.Raw]:
    """What the caller says to this provider alone, as far as it may be said."""
    return {
        name: raw
        for name, raw in source.options(pool.slug).items()
        if name not in _OURS and name not in _ANTHROPIC and refusal(name) is None
    }
