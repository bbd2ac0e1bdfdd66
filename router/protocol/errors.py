"""Errors as callers see them: one exception, one table, one shape.

The shape and the table are OpenRouter's: `{"error":{"code":<int>,"message":…,"metadata":{"error_type":…}}}`, the HTTP
status equal to `code` as long as no body byte was sent. `code` is always an integer, and `metadata` always has
`error_type`: the official clients reject anything else.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

STATUS_OF: Mapping[str, int] = MappingProxyType(
    {
        "context_length_exceeded": 400,
        "max_tokens_exceeded": 400,
        "token_limit_exceeded": 400,
        "string_too_long": 400,
        "invalid_request": 400,
        "invalid_prompt": 400,
        "content_policy_violation": 400,
        "refusal": 400,
        "invalid_image": 400,
        "image_too_large": 400,
        "image_too_small": 400,
        "unsupported_image_format": 400,
        "image_download_failed": 400,
        "authentication": 401,
        "payment_required": 402,
        "permission_denied": 403,
        "not_found": 404,
        "image_not_found": 404,
        "precondition_failed": 412,
        "payload_too_large": 413,
        "unprocessable": 422,
        "rate_limit_exceeded": 429,
        "client_closed_request": 499,
        "server": 500,
        "unmapped": 500,
        "provider_unavailable": 502,
        "provider_overloaded": 503,
        "timeout": 504,
    }
)


class ApiError(Exception):
    """What went wrong, in the API's words.

    Args:
        error_type: a key of `STATUS_OF`; decides the HTTP status.
        message: for people; holds no address, path or secret.
        field: path of the request field at fault, e.g. `messages[2].content`.
        metadata: further keys for `error.metadata`.
        retry_after_s: when to come back, in seconds.
        limit: the field of `Limits` (or another closed name) whose bound was passed; counted, not shown.
        status: overrides the table's HTTP status.

    Raises:
        KeyError: `error_type` is not in the table and no status was given.
    """

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        field: str | None = None,
        metadata: Mapping[str, object] | None = None,
        retry_after_s: float | None = None,
        limit: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = STATUS_OF[error_type] if status is None else status
        self.error_type = error_type
        self.message = message
        self.field = field
        self.metadata: dict[str, object] = dict(metadata or {})
        self.retry_after_s = retry_after_s
        self.limit = limit
        self.headers: Sequence[tuple[bytes, bytes]] = ()  # to be answered with it
        self.routing: dict[str, object] | None = None  # how the request was routed, for a caller who wants to know

    def __repr__(self) -> str:
        return f"ApiError({self.status} {self.error_type} {self.field or '-'}: {self.message})"


def invalid(field: str, problem: str, *, error_type: str = "invalid_request", limit: str | None = None) -> ApiError:
    """The request field `field` breaks a rule, maybe a `limit`; the message begins with the field's name."""
    return ApiError(error_type, f"{field}: {problem}", field=field, limit=limit)


def error_object(error: ApiError, *, generation_id: str | None = None) -> dict[str, object]:
    """The value of the key `error`, in bodies and in stream chunks."""
    metadata: dict[str, object] = {"error_type": error.error_type, **error.metadata}
    if error.field is not None:
        metadata["field"] = error.field
    if error.retry_after_s is not None:
        metadata["retry_after"] = error.retry_after_s
    if generation_id is not None:
        metadata["generation_id"] = generation_id
    shown: dict[str, object] = {"code": error.status, "message": error.message, "metadata": metadata}
    if "availability" in metadata:  # clients look for it in either place
        shown["availability"] = metadata["availability"]
    return shown


def render(error: ApiError, generation_id: str | None = None) -> bytes:
    """The JSON body of an error response."""
    body: dict[str, object] = {"error": error_object(error, generation_id=generation_id)}
    if error.routing is not None:
        body["openrouter_metadata"] = error.routing
    return msgspec.json.encode(body)
