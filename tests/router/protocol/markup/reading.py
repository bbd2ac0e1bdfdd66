"""XML back to the JSON value that it stands for, by the schema: the rule that docs/structured-output.md states."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

import jsonschema
from defusedxml.ElementTree import fromstring

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-][0-9]+)?")
ORDER = ("object", "array", "integer", "number", "boolean", "null", "string")  # of a type of several names
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER


class Unread(Exception):
    """The element is not what this part of the schema says."""


def read_xml(text: str, schema: Any, root: str = "answer") -> Any:
    """The value. Raises Unread, or the parser's error."""
    element = fromstring(text)
    if element.tag != root:
        raise Unread(element.tag)
    return _Reader(schema).read(element, schema)


class _Reader:
    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self.validator = jsonschema.Draft202012Validator(whole, format_checker=FORMATS)

    def read(self, element: Element, schema: Any) -> Any:
        """The first reading that is valid."""
        while "$ref" in schema or len(schema.get("allOf", ())) == 1:
            schema = self._target(schema["$ref"]) if "$ref" in schema else schema["allOf"][0]
        for reading in self._readings(element, schema):
            with suppress(Unread):
                value = reading()
                if self.validator.evolve(schema=schema).is_valid(value):
                    return value
        raise Unread(element.tag)

    def _readings(self, element: Element, schema: Any) -> Iterator[Callable[[], Any]]:
        if "anyOf" in schema or "oneOf" in schema:
            yield from (partial(self.read, element, each) for each in schema.get("anyOf", schema.get("oneOf")))
        elif "enum" in schema or "const" in schema:
            yield partial(self._constant, element, schema.get("enum") or [schema["const"]])
        else:
            kinds = schema.get("type", "object" if "properties" in schema else "array")
            for kind in [kinds] if isinstance(kinds, str) else sorted(kinds, key=ORDER.index):
                yield partial(self._read_kind, element, schema, kind)

    def _constant(self, element: Element, values: list[Any]) -> Any:
        for value in values:
            if self._is_written_as(value, element):
                return value
        raise Unread(element.tag)

    def _target(self, reference: str) -> Any:
        node = self.whole
        for token in reference.split("/")[1:]:
            node = node[token]
        return node

    def _is_written_as(self, value: Any, element: Element) -> bool:
        if value is None:
            return element.get("nil") == "true"
        if element.attrib or len(element):
            return False
        text = element.text or ""
        if isinstance(value, bool):
            return text == ("true" if value else "false")
        if isinstance(value, str):
            return text == value
        if NUMBER.fullmatch(text) is None:
            return False
        return (int(text) if text.removeprefix("-").isdigit() else float(text)) == value  # a float has 53 bits

    def _read_kind(self, element: Element, schema: Any, kind: str) -> Any:
        if kind == "null":
            if element.get("nil") == "true" and not len(element) and not element.text:
                return None
            raise Unread(element.tag)
        if element.attrib:
            raise Unread(element.tag)
        if kind in ("object", "array"):
            texts = [element.text, *(child.tail for child in element)]
            if any(text and text.strip() for text in texts):
                raise Unread(element.tag)
            value = self._object(element, schema) if kind == "object" else self._array(element, schema)
        else:
            if len(element):
                raise Unread(element.tag)
            value = self._scalar(element.text or "", kind)
        return value

    def _object(self, element: Element, schema: Any) -> Any:
        value: dict[str, Any] = {}
        for child in element:
            if child.tag in value or child.tag not in schema.get("properties", {}):
                raise Unread(child.tag)
            value[child.tag] = self.read(child, schema["properties"][child.tag])
        if not value.keys() >= set(schema.get("required", ())):
            raise Unread(element.tag)
        return value

    def _array(self, element: Element, schema: Any) -> Any:
        if any(child.tag != "item" for child in element):
            raise Unread(element.tag)
        if not schema.get("minItems", 0) <= len(element) <= schema.get("maxItems", len(element)):
            raise Unread(element.tag)
        return [self.read(child, schema["items"]) for child in element]

    def _scalar(self, text: str, kind: str) -> Any:
        if kind == "string":
            return text
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
        if kind in ("integer", "number") and NUMBER.fullmatch(text):
            return int(text) if re.fullmatch("-?[0-9]+", text) else float(text)
        raise Unread(text)
