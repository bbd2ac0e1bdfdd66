"""Judges of answers: each makes a function from the answer's `message` to whether it is right.

An answer that says more than it should (two colours, a wrong number beside the right one) is wrong.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Mapping[str, Any]], bool]


def text_of(message: Mapping[str, Any]) -> str:
    """The message's text, empty where it has none."""
    content = message.get("content")
    return content.strip() if isinstance(content, str) else ""


def is_text(expected: str) -> Check:
    """Right is exactly this text, apart from space around it."""
    return lambda message: text_of(message) == expected.strip()


def says_only(expected: str, among: Iterable[str], plurals: Mapping[str, str] | None = None) -> Check:
    """Right is a text that names `expected` (or its plural) and nothing else of `among`."""
    names = {word: word for word in among} | {many: one for one, many in (plurals or {}).items()}
    pattern = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, names)) + r")(?!\w)")
    return lambda message: {names[word] for word in pattern.findall(text_of(message).lower())} == {expected}


def ends_in(expected: str) -> Check:
    """Right is a text whose last word or number is `expected`."""
    return lambda message: re.findall(r"\w+", text_of(message))[-len(expected.split()) :] == expected.split()


def fields_are(form: str, root: str, fields: list[tuple[str, str | int]]) -> Check:
    """Right is a valid document of the form with exactly these fields."""
    readers = {"json": _from_json, "xml": _from_xml, "yaml": _from_yaml}
    wanted = {key: str(value) for key, value in fields}

    def check(message: Mapping[str, Any]) -> bool:
        found = readers[form](text_of(message), root)
        if form == "json" and found is not None:
            return found == dict(fields)
        return found == wanted

    return check


def _from_json(text: str, _root: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _from_xml(text: str, root: str) -> dict[str, str] | None:
    try:
        top = ET.fromstring(text)
    except ET.ParseError:
        return None
    return {child.tag: child.text or "" for child in top} if top.tag == root else None


def _from_yaml(text: str, _root: str) -> dict[str, str] | None:
    pairs = [line.split(": ", 1) for line in text.splitlines()]
    return {pair[0]: pair[1] for pair in pairs} if all(len(pair) == 2 for pair in pairs) else None


def call_is(name: str, arguments: Mapping[str, str | int]) -> Check:
    """Right is exactly one call, of this tool with these arguments."""

    def check(message: Mapping[str, Any]) -> bool:
        calls = message.get("tool_calls") or []
        if len(calls) != 1 or calls[0]["function"]["name"] != name:
            return False
        return _from_json(calls[0]["function"]["arguments"], "") == dict(arguments)

    return check
