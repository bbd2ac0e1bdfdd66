"""How one provider wants to be spoken to, and what is said to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from router.policy.catalog import Dialect

# What OpenAI's chat completions have that most providers obey; sent unless a pool names its own `parameters`.
STANDARD = frozenset(
    "temperature top_p frequency_penalty presence_penalty n seed stop max_tokens max_completion_tokens logit_bias "
    "logprobs top_logprobs tools tool_choice parallel_tool_calls response_format structured_outputs user".split()
)
# The same for Anthropic's messages: what has a counterpart there.
STANDARD_ANTHROPIC = frozenset(
    "temperature top_p top_k stop max_tokens max_completion_tokens tools tool_choice parallel_tool_calls "
    "response_format structured_outputs user".split()
)


class Conversation(Enum):
    """Whose order of messages a provider gets."""

    GIVEN = "given"  # the caller's own, with the caller's ids of tool calls
    MISTRAL = "mistral"  # as Mistral's tokenizers accept it (see mistral), for Mistral's own API


@dataclass(frozen=True, slots=True)
class Words:
    """One provider's.

    Attributes:
        dialect: what it speaks.
        renames: its names for fields of the request: `max_tokens` to `max_completion_tokens`, `seed` to `random_seed`;
            "": the field is not sent.
        asks_usage: send `stream_options`, which some providers refuse because they tell the usage anyway.
        conversation: whose order of messages it gets.
        user_key: what callers' users are hashed with, so that a provider can tell them apart, but not who they are.
    """

    dialect: Dialect = Dialect.OPENAI
    renames: Mapping[str, str] = field(default_factory=dict)
    asks_usage: bool = True
    conversation: Conversation = Conversation.GIVEN
    user_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What goes to an endpoint: the path below its base URL, and the body."""

    path: str
    body: bytes
