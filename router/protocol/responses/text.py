"""`text` as a chat's `response_format` and `verbosity`.

A JSON schema stands one level deeper in a chat. Every other format is passed as it came, so what the chat route offers
beyond OpenAI's formats (grammars, XML, YAML, …) is offered here too.
"""

from dataclasses import dataclass

import msgspec

from router.protocol.responses.raw import is_null, members, string, word, write

_SCHEMA_KEYS = ("name", "schema", "description", "strict")
_TEXT = b'{"type":"text"}'


@dataclass(frozen=True, slots=True)
class Text:
    """The field, translated; None: not sent."""

    response_format: bytes | None = None
    verbosity: bytes | None = None
    echo: bytes = b'{"format":%b}' % _TEXT


def read_text(raw: msgspec.Raw | None) -> Text:
    """Translate the field; None: not sent. What a format holds is left to the chat's checks.

    Raises:
        ApiError: 400, naming the field within `text`.
    """
    if raw is None:
        return Text()
    text = members(raw, "text")
    echo = {"format": _TEXT}
    response_format = verbosity = None
    if not is_null(text.get("format")):
        echo["format"] = bytes(text["format"])
        response_format = _response_format(text["format"])
    if not is_null(text.get("verbosity")):
        echo["verbosity"] = verbosity = string(text, "verbosity", "text")
    return Text(response_format, verbosity, write(echo))


def _response_format(raw: msgspec.Raw) -> bytes:
    fields = members(raw, "text.format")
    if word(fields, "type", "text.format") != "json_schema":
        return bytes(raw)
    schema = {key: bytes(fields[key]) for key in _SCHEMA_KEYS if not is_null(fields.get(key))}
    return write({"type": b'"json_schema"', "json_schema": write(schema)})
