"""The body of an error in place of an answer.

OpenRouter's official client insists on its own shape here as everywhere (an integer `code`), OpenAI's reads `message`,
`type` and `param`: the object has both.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from router.protocol.errors import ApiError, error_object

_TYPES: Mapping[int, str] = MappingProxyType(
    {
        401: "authentication_error",
        402: "insufficient_quota",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
    }
)


def render_error(error: ApiError, generation_id: str) -> bytes:
    """The JSON body."""
    told = error_object(error, generation_id=generation_id)
    told |= {"type": _type(error.status), "param": error.field}
    body: dict[str, object] = {"error": told, "error_type": error.error_type, "metadata": None}
    if error.routing is not None:
        body["openrouter_metadata"] = error.routing
    return msgspec.json.encode(body)


def _type(status: int) -> str:
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
