"""Errors in Anthropic's shape, with OpenRouter's `error_type` beside Anthropic's coarser `type`.

{"type": "error", "error": {"type": …, "message": …, "error_type": …}, "request_id": "gen-…"}
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from router.protocol.errors import STATUS_OF, ApiError, error_object

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "authentication": "authentication_error",
        "permission_denied": "permission_error",
        "payment_required": "billing_error",
        "not_found": "not_found_error",
        "image_not_found": "not_found_error",
        "rate_limit_exceeded": "rate_limit_error",
        "provider_overloaded": "overloaded_error",
        "timeout": "timeout_error",
    }
)


def type_of(error_type: str, status: int | None = None) -> str:
    """Anthropic's name for an `error_type`; `status`: of the answer, where it may differ from the table's."""
    known = _TYPES.get(error_type)
    if known is not None:
        return known
    is_callers = 400 <= (status or STATUS_OF.get(error_type, 500)) < 500
    return "invalid_request_error" if is_callers else "api_error"


def render_error(error: ApiError, generation_id: str) -> bytes:
    """The JSON body of an error response."""
    metadata = error_object(error)["metadata"]
    body: dict[str, object] = {
        "type": "error",
        "error": {
            "type": type_of(error.error_type, error.status),
            "message": error.message,
            "error_type": error.error_type,
        },
        "request_id": generation_id,
        "metadata": metadata,
    }
    if error.routing is not None:
        body["openrouter_metadata"] = error.routing
    return msgspec.json.encode(body)
