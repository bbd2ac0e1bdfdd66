"""Files as three APIs show them. One store, one id, three vocabularies."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

PURPOSES = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})  # that callers may give
OUTPUT = "batch_output"  # of files that batches make


class Shape(Enum):
    """Whose words."""

    OPENROUTER = "openrouter"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told of a file."""

    id: str
    filename: str
    mime_type: str
    purpose: str
    size: int  # bytes
    created_at: float  # unix seconds
    expires_at: float | None = None


def shape_of(path: str, agent: bytes, *, has_anthropic_version: bool) -> Shape:
    """Whose words the client speaks.

    Anthropic's clients send their version, OpenAI's say who they are, and `/v1` is OpenAI's base, where OpenRouter's is
    `/api/v1`.

    Args:
        path: of the URL.
        agent: the header `User-Agent`.
        has_anthropic_version: there is a header `anthropic-version`.
    """
    if has_anthropic_version:
        return Shape.ANTHROPIC
    is_openai = agent.removeprefix(b"Async").startswith((b"OpenAI/", b"AzureOpenAI/")) or path.startswith("/v1/")
    return Shape.OPENAI if is_openai else Shape.OPENROUTER


def file_object(file: Shown, shape: Shape) -> dict[str, object]:
    if shape is Shape.OPENAI:
        return {
            "_shape": shape.value,
            "id": file.id,
            "object": "file",
            "bytes": file.size,
            "created_at": int(file.created_at),
            "expires_at": None if file.expires_at is None else int(file.expires_at),
            "filename": file.filename,
            "purpose": file.purpose,
            "status": "processed",
        }
    created = datetime.fromtimestamp(int(file.created_at), UTC).isoformat().replace("+00:00", "Z")
    return {
        "_shape": shape.value,
        "id": file.id,
        "type": "file",
        "filename": file.filename,
        "mime_type": file.mime_type,
        "size_bytes": file.size,
        "created_at": created,
        "downloadable": True,
    }


def deleted_object(file_id: str, shape: Shape) -> dict[str, object]:
    if shape is Shape.OPENAI:
        return {"_shape": shape.value, "id": file_id, "object": "file", "deleted": True}
    return {"_shape": shape.value, "id": file_id, "type": "file_deleted"}


def list_object(files: list[Shown], shape: Shape, *, has_more: bool) -> dict[str, object]:
    last = files[-1].id if files else None
    page: dict[str, object] = {
        "_shape": shape.value,
        "data": [file_object(file, shape) for file in files],
        "first_id": files[0].id if files else None,
        "last_id": last,
        "has_more": has_more,
    }
    if shape is Shape.OPENAI:
        page["object"] = "list"
    elif shape is Shape.OPENROUTER:
        page["cursor"] = last if has_more else None
    return page
