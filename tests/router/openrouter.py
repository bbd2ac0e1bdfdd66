"""OpenRouter's published OpenAPI document, where it lies beside the project: what our answers are held against.

Without it such a check passes: the tests that use it check the important keys by themselves too.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[3] / "shared" / "reference" / "openrouter-openapi.json"


def assert_valid(schema: str, body: object, *, open_enums: bool = False) -> None:
    """Hold a body against a schema of the document by its name.

    `open_enums`: lists of names are taken for examples, as the official clients do.
    """
    if DOCUMENT.exists():
        _check({"$ref": f"#/components/schemas/{schema}"}, body, open_enums)


def assert_valid_answer(path: str, body: object, *, open_enums: bool = False) -> None:
    """Hold a body against what the document says of GET `path`."""
    if DOCUMENT.exists():
        answer = _document(open_enums)["paths"][path]["get"]["responses"]["200"]
        _check(answer["content"]["application/json"]["schema"], body, open_enums)


def _check(schema: dict[str, Any], body: object, open_enums: bool) -> None:
    import jsonschema

    body = json.loads(json.dumps(body))
    jsonschema.Draft202012Validator(schema | {"components": _document(open_enums)["components"]}).validate(body)


@cache
def _document(open_enums: bool) -> Any:
    document = json.loads(DOCUMENT.read_text())
    return _opened(document) if open_enums else document


def _opened(part: Any) -> Any:
    """Without enumerations of texts."""
    if isinstance(part, list):
        return [_opened(each) for each in part]
    if not isinstance(part, dict):
        return part
    names = part.get("enum")
    is_open = isinstance(names, list) and all(isinstance(name, str | None) for name in names)
    return {key: _opened(value) for key, value in part.items() if not (is_open and key == "enum")}
