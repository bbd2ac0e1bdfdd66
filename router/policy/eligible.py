"""Whether a pool may serve a call at all: the hard filters. A pool is left out only for a reason that can be told.

Reasons are OpenRouter's words of `availability.excluded_by` where it has one: allowed_providers, quantization,
max_price, data_policy:training, data_policy:zdr, require_parameters, context_length. Our own are model_not_allowed,
input_modalities, output_modalities, max_tokens and data_policy:distillation; `plan` adds tools, tool_choice and
allow_fallbacks.
"""

from router.policy.call import Call
from router.policy.catalog import Dialect, Pool
from router.policy.key import Key
from router.policy.parameters import unsupported
from router.policy.preferences import MaxPrice, Preferences, is_among

LONGEST_TOKEN_BYTES = 32  # on average, of any text: repeated spaces are the longest that tokenizers have
_FREE = MaxPrice(0.0, 0.0, 0.0)


def why_not(
    call: Call, pool: Pool, key: Key, preferences: Preferences | None, parameters: frozenset[str], *, is_free: bool
) -> str | None:
    """The first reason for which the pool cannot serve the call, or None.

    Args:
        call: what is asked for.
        pool: that might serve it.
        key: who asks.
        preferences: of the caller; None: none.
        parameters: names of the request's fields.
        is_free: nothing may be paid.
    """
    if (key.models is not None and pool.model not in key.models) or pool.model in key.ignored_models:
        return "model_not_allowed"
    if key.providers is not None and not is_among(pool, key.providers):
        return "allowed_providers"
    if key.ignored_providers and is_among(pool, key.ignored_providers):
        return "allowed_providers"
    if (reason := key.data_policy.why_not(pool)) is not None:
        return reason
    if not _puts_out(pool, call.output):
        return "output_modalities"
    if not call.modalities <= pool.input_modalities:
        return "input_modalities"
    if is_free and not _FREE.allows(pool):
        return "max_price"
    if preferences is not None and (reason := _unwanted(pool, preferences, parameters)) is not None:
        return reason
    wanted = call.max_tokens or 1
    if _least_tokens(call) + wanted >= pool.context_length:
        return "context_length"
    if pool.max_completion_tokens is not None and wanted > pool.max_completion_tokens:
        return "max_tokens"
    return None


def _puts_out(pool: Pool, output: str) -> bool:
    """Tokens are counted by our own engines alone, of any model that puts out text."""
    if output == "count":
        return pool.dialect is Dialect.VLLM and "text" in pool.outputs
    return output in pool.outputs


def _unwanted(pool: Pool, preferences: Preferences, parameters: frozenset[str]) -> str | None:
    if preferences.only and not is_among(pool, preferences.only):
        return "allowed_providers"
    if preferences.ignore and is_among(pool, preferences.ignore):
        return "allowed_providers"
    if preferences.quantizations is not None and (pool.quantization or "unknown") not in preferences.quantizations:
        return "quantization"
    if preferences.denies_training and pool.trains:
        return "data_policy:training"
    if preferences.zdr and (pool.retains or pool.trains):
        return "data_policy:zdr"
    if preferences.distillable and not pool.is_distillable:
        return "data_policy:distillation"
    if preferences.max_price is not None and not preferences.max_price.allows(pool):
        return "max_price"
    if preferences.require_parameters and unsupported(parameters, pool):
        return "require_parameters"
    return None


def _least_tokens(call: Call) -> int:
    """Of the prompt: its length is an estimate, which the engine corrects; but nothing is shorter than this."""
    return call.image_tokens + call.text_bytes // LONGEST_TOKEN_BYTES if call.prompts == 1 else 0
