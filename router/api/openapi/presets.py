"""Presets: settings of requests under a name, each change a version."""

from collections.abc import Mapping

from router.api.openapi.failures import MANAGEMENT
from router.api.openapi.operation import Operation, in_path, query
from router.api.openapi.shape import Json, record

_PAGE = (
    query("offset", {"type": "integer", "minimum": 0, "maximum": 2**31}, "How many to skip"),
    query("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "How many at most"),
)
_SLUG = in_path("slug", "The preset's name in requests: `@preset/slug`")
_SHOWN = (400, 401, 404, 500)


def operations(model: str) -> Mapping[str, Operation]:
    """By method and path. `model`: of the examples."""
    tag = "presets"
    number = in_path("version", "Counted from 1")
    asked: Json = {"role": "user", "content": "What is 7 plus 5?"}
    bodies: Mapping[str, tuple[str, Json]] = {
        "chat/completions": ("ChatRequest", {"model": model, "messages": [asked], "temperature": 0.5}),
        "messages": ("MessagesRequest", {"model": model, "messages": [asked], "max_tokens": 64}),
        "responses": ("ResponsesRequest", {"model": model, "input": "What is 7 plus 5?", "temperature": 0.5}),
    }
    return {
        "GET /presets": Operation(
            "The presets of the key's workspace.", "Presets", tag, parameters=_PAGE, errors=_SHOWN
        ),
        "GET /presets/{slug}": Operation("One.", "OnePreset", tag, parameters=(_SLUG,), errors=_SHOWN),
        "GET /presets/{slug}/versions": Operation(
            "What it was.", "PresetVersions", tag, parameters=(_SLUG, *_PAGE), errors=_SHOWN
        ),
        "GET /presets/{slug}/versions/{version}": Operation(
            "One of these.", "OnePresetVersion", tag, parameters=(_SLUG, number), errors=_SHOWN
        ),
        **{
            f"POST /presets/{{slug}}/{path}": Operation(
                "Keep a request's settings as the preset's next version; messages are left out.",
                "OnePreset",
                tag,
                body=body,
                example=example,
                parameters=(_SLUG,),
                errors=(*MANAGEMENT, 400),
            )
            for path, (body, example) in bodies.items()
        },
    }


def schemas() -> dict[str, Json]:
    preset = (
        "id:string creator_user_id:string? workspace_id:string name:string slug:string description:string? "
        "status:string designated_version_id:string? created_at:time updated_at:time? status_updated_at:time?"
    )
    version = (
        "id:string preset_id:string creator_id:string? version:integer system_prompt:string? config:object "
        "created_at:time updated_at:time?"
    )
    return {
        "Preset": record(preset),
        "PresetVersion": record(version),
        "Presets": record("data:Preset[] total_count:integer"),
        "OnePreset": record("", data=record(f"{preset} designated_version:PresetVersion?")),
        "PresetVersions": record("data:PresetVersion[] total_count:integer"),
        "OnePresetVersion": record("data:PresetVersion"),
    }
