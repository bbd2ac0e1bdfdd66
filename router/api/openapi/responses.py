"""Answers of `/responses` that were kept."""

from collections.abc import Mapping

from router.api.openapi.failures import INFORMATION
from router.api.openapi.operation import Operation, in_path, query
from router.api.openapi.shape import Json, record

_ID = in_path("response_id", "The response's id, `resp_…`")
_ITEMS = (
    query("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "How many at most; 20"),
    query("order", {"enum": ["asc", "desc"]}, "The oldest first, or the newest, which is usual"),
    query("after", {"type": "string"}, "The id of the item before"),
)
_WHOLE = query("stream", {"type": "boolean"}, "Must be false")


def operations() -> Mapping[str, Operation]:
    """By method and path."""
    tag, errors = "inference", (*INFORMATION, 400)
    return {
        "GET /responses/{response_id}": Operation(
            "A response that was stored.", "ResponsesAnswer", tag, parameters=(_ID, _WHOLE), errors=errors
        ),
        "DELETE /responses/{response_id}": Operation(
            "Delete it; those that went on from it have what they need.",
            "DeletedResponse",
            tag,
            parameters=(_ID,),
            errors=errors,
        ),
        "GET /responses/{response_id}/input_items": Operation(
            "What it answered, earlier turns too.",
            "InputItems",
            tag,
            parameters=(_ID, *_ITEMS),
            errors=errors,
        ),
    }


def schemas() -> dict[str, Json]:
    return {
        "DeletedResponse": record("id:string deleted:boolean", object={"const": "response"}),
        "InputItems": record(
            "data:object[] first_id:string? last_id:string? has_more:boolean", object={"const": "list"}
        ),
    }
