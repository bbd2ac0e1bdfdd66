"""What an answer cost, and OpenRouter's `usage` object.

Cached tokens are part of the prompt tokens, never beside them; a price of zero is a price, a missing one is not.
"""

from router.policy.catalog import Price
from router.policy.outcome import Usage

FREE = Price()


def prompt_cost(usage: Usage, price: Price) -> float:
    """USD for the prompt; cached tokens at their own price where the pool has one."""
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    cached_price = price.prompt if price.cached_prompt is None else price.cached_prompt
    return (usage.prompt_tokens - cached) * price.prompt + cached * cached_price


def completion_cost(usage: Usage, price: Price) -> float:
    """USD for the tokens that were generated."""
    return usage.completion_tokens * price.completion


def cost(usage: Usage, price: Price) -> float:
    """USD for the whole request: prompt, completion and the price per request."""
    return prompt_cost(usage, price) + completion_cost(usage, price) + price.request


def insured(price: Price, usage: Usage, finish_reason: str | None) -> Price:
    """Zero-completion insurance, as OpenRouter has it: an answer that says nothing, or ends in an error, is free.

    Args:
        price: of the pool.
        usage: of an answer in tokens.
        finish_reason: in OpenRouter's words.
    """
    says_nothing = usage.completion_tokens == 0 and not finish_reason
    return FREE if says_nothing or finish_reason == "error" else price


def usage_object(usage: Usage, price: Price) -> dict[str, object]:
    """The `usage` object of answers and of a stream's last chunk.

    All keys that the official clients read are there: they drop `cost_details` without its two floats, and fail on
    details objects without `cached_tokens` or `reasoning_tokens`.
    """
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "cost": cost(usage, price),
        "is_byok": False,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": 0,
            "audio_tokens": 0,
            "video_tokens": 0,
        },
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": prompt_cost(usage, price),
            "upstream_inference_completions_cost": completion_cost(usage, price),
        },
        "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0, "audio_tokens": 0},
    }
