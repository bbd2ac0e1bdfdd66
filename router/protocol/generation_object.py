"""A generation in OpenRouter's shape: every key of its documents is there, null where we do not know it.

`latency` is the time to the first byte of the answer, `generation_time` that from the sending of the attempt that
answered to its last byte; both in milliseconds. Native tokens are those that the engine counted, which are the only
ones we have.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from router.policy.key import NANO
from router.protocol.answered import Answered, from_text
from router.protocol.entry import Entry
from router.protocol.told import origin_of

_API_TYPES: Mapping[str, str] = MappingProxyType(
    {"chat": "completions", "completions": "completions", "embeddings": "embeddings", "rerank": "rerank"}
)
_ROUTERS = frozenset({"openrouter/auto", "openrouter/free"})  # names that leave the choice of a model to the router


def generation_object(entry: Entry) -> dict[str, object]:
    """The value of `data` in the answer to `GET /generation`."""
    cost = entry.cost / NANO
    return {
        "id": entry.id,
        "upstream_id": entry.upstream_id,
        "request_id": "req-" + entry.id.removeprefix("gen-"),  # a request makes one generation
        "session_id": entry.session_id,
        "model": entry.model or entry.requested,
        "provider_name": entry.provider or None,
        "router": entry.requested if entry.requested in _ROUTERS else None,
        "api_type": _API_TYPES.get(entry.kind),
        "streamed": entry.streamed,
        "cancelled": entry.status == "cancelled",
        "created_at": datetime.fromtimestamp(entry.created, UTC).isoformat(timespec="milliseconds"),
        "latency": entry.latency_ms,
        "moderation_latency": None,
        "generation_time": entry.generation_ms,
        "finish_reason": entry.finish_reason,
        "native_finish_reason": entry.native_finish_reason or entry.finish_reason,
        "tokens_prompt": entry.prompt_tokens,
        "tokens_completion": entry.completion_tokens,
        "native_tokens_prompt": entry.prompt_tokens,
        "native_tokens_completion": entry.completion_tokens,
        "native_tokens_cached": entry.cached_tokens,
        "native_tokens_reasoning": entry.reasoning_tokens,
        "native_tokens_completion_images": None,
        "num_media_prompt": entry.media,
        "num_media_completion": None,
        "num_input_audio_prompt": None,
        "num_search_results": None,
        "num_fetches": None,
        "web_search_engine": None,
        "usage": cost,
        "total_cost": cost,
        "upstream_inference_cost": None,
        "cache_discount": None if entry.cache_discount is None else entry.cache_discount / NANO,
        "is_byok": False,
        "origin": origin_of(entry.referer),
        "http_referer": entry.referer,
        "user_agent": entry.user_agent,
        "external_user": entry.external_user,
        "app_id": None,
        "app_title": entry.title,
        "preset_id": entry.preset_id,
        "service_tier": entry.service_tier,
        "data_region": "global",
        "workspace_id": entry.workspace,
        "response_cache_source_id": entry.cached_from,
        "provider_responses": [_answered(each, entry) for each in from_text(entry.answers)] or None,
        "status": entry.status,  # in our words: ok, cancelled, broken, …
        "image_tokens": entry.image_tokens,  # of the prompt, as estimated
    }


def _answered(each: Answered, entry: Entry) -> dict[str, object]:
    shown: dict[str, object] = {
        "provider_name": each.provider,
        "endpoint_id": each.pool,
        "model_permaslug": each.model or entry.model or entry.requested,
        "status": each.status,
        "is_byok": False,
    }
    if each.latency_ms is not None:
        shown["latency"] = each.latency_ms
    if each.upstream_id is not None:
        shown["id"] = each.upstream_id
    return shown
