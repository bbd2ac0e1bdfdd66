"""Files and batches: requests that have time."""

from collections.abc import Mapping

from router.api.openapi.failures import MANAGEMENT
from router.api.openapi.operation import Operation, in_path, query
from router.api.openapi.shape import Json, listed, nullable, record, with_more
from router.protocol.batch_submit import ENDPOINTS

_LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "How many at most")
_AFTER = query("after", {"type": "string"}, "The id of the last one that was listed")
_FILE = in_path("file_id", "The file's id")
_BATCH = in_path("batch_id", "The batch's id")
_SHOWN = (400, 401, 403, 404, 500)
_CHANGED = (*MANAGEMENT, 400, 409)
_FORM: Json = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"type": "string", "description": "`batch` for lines of requests."},
    },
    "required": ["file"],
}


def operations(model: str) -> Mapping[str, Operation]:
    """By method and path. `model`: of the examples."""
    files, batches = "files", "batches"
    asked: Json = {"messages": [{"role": "user", "content": "What is 7 plus 5?"}], "max_tokens": 16}
    example: Json = {
        "endpoint": "/v1/chat/completions",
        "model": model,
        "requests": [{"custom_id": "first", "body": asked}],
        "completion_window": "24h",
    }
    return {
        "GET /files": Operation(
            "The files of the key's workspace.", "Files", files, parameters=(_LIMIT, _AFTER), errors=_SHOWN
        ),
        "POST /files": Operation("Keep a file.", "File", files, form=_FORM, errors=(*_CHANGED, 413)),
        "GET /files/{file_id}": Operation("One.", "File", files, parameters=(_FILE,), errors=_SHOWN),
        "DELETE /files/{file_id}": Operation("Delete it.", "DeletedFile", files, parameters=(_FILE,), errors=_SHOWN),
        "GET /files/{file_id}/content": Operation(
            "What is in it.",
            {"type": "string", "format": "binary"},
            files,
            media="application/octet-stream",
            parameters=(_FILE,),
            errors=_SHOWN,
        ),
        "GET /batches": Operation(
            "The batches of the key's workspace.", "Batches", batches, parameters=(_LIMIT, _AFTER), errors=_SHOWN
        ),
        "POST /batches": Operation(
            "Run requests when there is time, with their answers kept.",
            "Batch",
            batches,
            status=202,
            body="BatchRequest",
            example=example,
            errors=(*_CHANGED, 413, 429),
        ),
        "GET /batches/{batch_id}": Operation(
            "How far it is, and when it has ended its results.", "Batch", batches, parameters=(_BATCH,), errors=_SHOWN
        ),
        "POST /batches/{batch_id}/cancel": Operation(
            "Run no more of it.", "Batch", batches, parameters=(_BATCH,), errors=_CHANGED
        ),
        "DELETE /batches/{batch_id}": Operation(
            "Delete one that has ended.", "DeletedBatch", batches, parameters=(_BATCH,), errors=_CHANGED
        ),
    }


def schemas() -> dict[str, Json]:
    tokens = record("cached_tokens:integer"), record("reasoning_tokens:integer")
    usage = record(
        "prompt_tokens:integer completion_tokens:integer total_tokens:integer input_tokens:integer "
        "output_tokens:integer cost:number is_byok:boolean",
        prompt_tokens_details=tokens[0],
        completion_tokens_details=tokens[1],
        input_tokens_details=tokens[0],
        output_tokens_details=tokens[1],
    )
    problem = record("code:string line:integer? message:string param:string?")
    counts = record("total:integer completed:integer failed:integer")
    return {
        "File": record(
            "_shape:string id:string filename:string -object:string -type:string -bytes:integer -size_bytes:integer "
            "-mime_type:string -purpose:string? -status:string -expires_at:integer? -downloadable:boolean",
            created_at={"type": ["string", "integer"]},
        ),
        "Files": record(
            "_shape:string data:File[] first_id:string? last_id:string? has_more:boolean -object:string -cursor:string?"
        ),
        "DeletedFile": record("_shape:string id:string -object:string -type:string -deleted:boolean"),
        "BatchRequest": with_more(
            record("endpoint:string"),
            endpoint={"type": "string", "enum": [*ENDPOINTS]},
            model={"type": "string"},
            requests=listed(record("custom_id:string body:object")),
            input_file_id={"type": "string"},
            completion_window={"type": "string", "description": "`24h`, or other hours."},
            metadata={"type": "object", "additionalProperties": {"type": "string"}},
            provider=record("-only:string[]? -allow_fallbacks:boolean?"),
            output_expires_after=record("anchor:string seconds:integer"),
        ),
        "BatchResult": record("id:string custom_id:string response:object? error:object?"),
        "Batch": record(
            "id:string object:string endpoint:string model:string status:string completion_window:string "
            "created_at:integer expires_at:integer finalized_at:integer? in_progress_at:integer? "
            "finalizing_at:integer? completed_at:integer? failed_at:integer? expired_at:integer? "
            "cancelling_at:integer? cancelled_at:integer? input_file_id:string? output_file_id:string? "
            "error_file_id:string? metadata:object? provider:object?",
            request_counts=counts,
            error=nullable(record("message:string")),
            errors=nullable(record("object:string", data=listed(problem))),
            usage=nullable(usage),
            results=nullable(listed({"$ref": "#/components/schemas/BatchResult"})),
        ),
        "Batches": record("object:string data:Batch[] first_id:string? last_id:string? has_more:boolean"),
        "DeletedBatch": record("id:string object:string deletion:object"),
    }
