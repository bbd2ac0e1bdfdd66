"""Holds values against the schemas of an OpenAPI 3.1 document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

Json = dict[str, Any]
SHOWN = 8  # problems of one value


@dataclass(frozen=True)
class Document:
    """An OpenAPI document."""

    content: Mapping[str, Any]

    def answer_schema(self, method: str, path: str, status: int, media: str = "application/json") -> Json | None:
        """Of a body; None: the document has no such answer, or none with a body."""
        operation = self.content["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return None
        response = self.resolve(operation["responses"].get(str(status), {}))
        schema: Json | None = response.get("content", {}).get(media, {}).get("schema")
        return schema

    def resolve(self, value: Any) -> Any:
        """Follow a `$ref`."""
        if not isinstance(value, dict) or "$ref" not in value:
            return value
        found: Any = self.content
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self.resolve(found)

    def problems(self, schema: Mapping[str, Any], value: object) -> list[str]:
        """What is wrong with a value, each with its place."""
        whole = {**schema, "components": self.content["components"]}
        validator = Draft202012Validator(whole, format_checker=FormatChecker())
        return [_told(error) for error in validator.iter_errors(value)][:SHOWN]


def closed(schema: Any) -> Any:
    """The same schema, in which objects have no fields but those that are told."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: closed(each) for name, each in schema.items()}
    if "properties" in told and schema.get("type") == "object":
        told.setdefault("additionalProperties", False)
    return told


def _told(error: Any) -> str:
    deeper = "; ".join(_told(each) for each in error.context or ())
    return f"{error.json_path}: {error.message[:200]}" + (f" ({deeper[:400]})" if deeper else "")
