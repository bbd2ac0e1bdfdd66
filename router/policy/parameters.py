"""Which fields of a request a pool does not obey.

Only parameters that OpenRouter has a name for can be unsupported: those are what a model's `supported_parameters`
speaks of. A field that nobody knows is meant for some engine and always passed on. Unsupported fields are left out of
what the pool gets, unless the caller insists (`require_parameters`), which leaves out the pool.
"""

from router.policy.catalog import Pool

KNOWN = frozenset(
    "temperature top_p top_k min_p top_a frequency_penalty presence_penalty repetition_penalty max_tokens "
    "max_completion_tokens logit_bias logprobs top_logprobs prediction seed response_format structured_outputs stop "
    "tools tool_choice parallel_tool_calls include_reasoning reasoning reasoning_effort web_search_options "
    "verbosity".split()
)  # `Parameter` of OpenRouter's OpenAPI document
# Without them the answer is of another kind than was asked for: pools that obey them are tried before others.
PREFERRED = frozenset({"tools", "tool_choice", "response_format", "verbosity"})
_LENGTHS = frozenset({"max_tokens", "max_completion_tokens"})  # two names of one thing
_NONE: frozenset[str] = frozenset()


def unsupported(parameters: frozenset[str], pool: Pool) -> frozenset[str]:
    """Those of a request's fields that the pool does not obey. A pool that names none is taken to obey all."""
    lacking = (parameters & KNOWN) - pool.parameters
    if not lacking or not pool.parameters:
        return _NONE
    return lacking - _LENGTHS if pool.parameters & _LENGTHS else lacking
