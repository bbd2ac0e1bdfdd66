"""Errors in the document: the three APIs' shapes, and which statuses a route may answer with."""

from collections.abc import Iterable, Mapping

from router.api.openapi.shape import Json, record, ref, with_more
from router.protocol.errors import STATUS_OF

_MEANINGS: Mapping[int, str] = {
    400: "The request breaks a rule; `error.metadata.field` names the field.",
    401: "No key, or one that is unknown, disabled or expired.",
    402: "The key's limit is spent, or reserved by requests under way (then with `Retry-After`).",
    403: "Not with this kind of key, or a budget or a guardrail says no.",
    404: "No such thing, or no pool that can serve this; `error.availability` and `error.metadata` say why.",
    405: "The path has other methods.",
    408: "The request came too slowly.",
    409: "It would collide with what is there.",
    412: "Something that the request relies on is not so.",
    413: "The body is larger than `limits.body_bytes`.",
    414: "The path is too long.",
    415: "Bodies must not be compressed.",
    417: "An expectation that nobody meets.",
    422: "The engine cannot work with it.",
    429: "Too many requests or tokens; come back after `Retry-After` seconds.",
    431: "The headers are too large.",
    499: "The client left.",
    500: "A mistake of the router; it is in its log.",
    502: "The last endpoint that was tried failed.",
    503: "All endpoints are busy or away, or the database is; come back after `Retry-After` seconds.",
    504: "A clock ran out.",
    529: "Overloaded: `/messages` says so in this way.",
}
FRONT = (400, 408, 414, 415, 417, 431, 503)  # before any route sees the request
INFERENCE = (401, 402, 403, 404, 413, 422, 429, 500, 502, 504)
MANAGEMENT = (401, 403, 404, 409, 413, 500)
INFORMATION = (401, 403, 404, 500)


def schemas() -> dict[str, Json]:
    """The three shapes."""
    kinds = {"enum": sorted(STATUS_OF), "description": "What went wrong, in one word"}
    metadata = record("", error_type=kinds)
    own = record("code:integer message:string", metadata=metadata)
    return {
        "Error": record("error:ErrorObject -openrouter_metadata:RouterMetadata -user_id:string"),
        "ErrorObject": {**own, "additionalProperties": True},
        "MessagesError": record(
            "request_id:string? -metadata:object -openrouter_metadata:RouterMetadata",
            type={"const": "error"},
            error=record("type:string message:string error_type:string"),
        ),
        "ResponsesError": record(
            "metadata:object? error_type:string -openrouter_metadata:RouterMetadata",
            error=with_more(own, type={"type": "string"}, param={"type": ["string", "null"]}),
        ),
    }


def components() -> dict[str, Json]:
    """Every error answer once, to be referred to."""
    return {
        f"{schema}{status}": {
            "description": meaning,
            "content": {"application/json": {"schema": _shape(status, schema)}},
        }
        for schema in ("Error", "MessagesError", "ResponsesError")
        for status, meaning in _MEANINGS.items()
    }


def responses(statuses: Iterable[int], schema: str = "Error") -> dict[str, Json]:
    """The answers with these statuses, and with those that every route has."""
    return {str(each): {"$ref": f"#/components/responses/{schema}{each}"} for each in sorted({*statuses, *FRONT})}


def _shape(status: int, schema: str) -> Json:
    """What is refused at the door is told in OpenRouter's shape, whatever the route: nobody has read which it was."""
    return ref(schema) if schema == "Error" or status not in FRONT else {"anyOf": [ref(schema), ref("Error")]}
