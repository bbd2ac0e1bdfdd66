"""A preset: settings of a request that are kept under a name, in the words of `/chat/completions`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec


class Api(Enum):
    """In whose words a request is written."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Preset:
    """One version of a preset, as requests use it."""

    id: str
    system_prompt: str | None
    config: Mapping[str, msgspec.Raw]  # fields of a chat request, none of them `messages`


# What of a request is kept. Everything else is the request's own: what was said, and how it is to be delivered.
KEPT = frozenset(
    "model models provider route plugins transforms temperature top_p top_k top_a min_p frequency_penalty "
    "presence_penalty repetition_penalty seed stop max_tokens max_completion_tokens logit_bias tools tool_choice "
    "parallel_tool_calls response_format reasoning reasoning_effort verbosity service_tier cache_enabled "
    "cache_ttl_seconds".split()
)
EFFECTLESS = frozenset({"cache_enabled", "cache_ttl_seconds"})  # on the engine: they are about the router's own cache
LONGEST = 65_536  # bytes of a preset's JSON: it is read with every request that names it
LONGEST_SLUG = 64  # characters
