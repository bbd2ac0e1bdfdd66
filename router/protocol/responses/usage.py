"""The usage of a chat's answer in the words of the Responses API."""

import msgspec

from router.protocol.wire import read


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _CostDetails(msgspec.Struct):
    upstream_inference_cost: float | None = None
    upstream_inference_prompt_cost: float | None = None
    upstream_inference_completions_cost: float | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cost: float | None = None
    is_byok: bool = False
    prompt_tokens_details: _PromptDetails = msgspec.field(default_factory=_PromptDetails)
    completion_tokens_details: _CompletionDetails = msgspec.field(default_factory=_CompletionDetails)
    cost_details: _CostDetails = msgspec.field(default_factory=_CostDetails)


_usage = msgspec.json.Decoder(_Usage)


def usage_json(raw: msgspec.Raw) -> bytes:
    """The value of `usage`.

    Raises:
        ValueError: it is none of a chat.
    """
    usage: _Usage = read(_usage, raw)
    return msgspec.json.encode(
        {
            "input_tokens": usage.prompt_tokens,
            "input_tokens_details": {
                "cached_tokens": usage.prompt_tokens_details.cached_tokens or 0,
                "cache_write_tokens": usage.prompt_tokens_details.cache_write_tokens or 0,
            },
            "output_tokens": usage.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": usage.completion_tokens_details.reasoning_tokens or 0},
            "total_tokens": usage.total_tokens,
            "cost": usage.cost,
            "is_byok": usage.is_byok,
            "cost_details": {
                "upstream_inference_cost": usage.cost_details.upstream_inference_cost,
                "upstream_inference_input_cost": usage.cost_details.upstream_inference_prompt_cost or 0.0,
                "upstream_inference_output_cost": usage.cost_details.upstream_inference_completions_cost or 0.0,
            },
        }
    )
