"""A form with files in it (multipart/form-data, RFC 7578), read as its bytes come.

The grammar is python-multipart's business; here are the bounds, and events for whoever feeds it: a part began, some of
its bytes came, the form is whole. Nothing is kept but the part's own header.
"""

from dataclasses import dataclass
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from router.protocol.errors import ApiError

_PARTS = 32  # of a form; those of OpenAI's clients have four
_HEADER_BYTES = 4_096  # of one part; a name of a file may have 255 bytes
_HEADERS = 8  # of one part


@dataclass(frozen=True, slots=True)
class PartBegan:
    name: str
    filename: str | None  # None: a field, not a file


@dataclass(frozen=True, slots=True)
class PartData:
    data: bytes


@dataclass(frozen=True, slots=True)
class FormEnded:
    """All parts were there, and the last boundary."""


Event: TypeAlias = PartBegan | PartData | FormEnded


class Form:
    """Made for one request's `content-type`. Raises ApiError 400, from anywhere."""

    def __init__(self, content_type: bytes) -> None:
        kind, options = parse_options_header(content_type.decode("latin-1"))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise _bad("must be multipart/form-data with a boundary")
        self._events: list[Event] = []
        self._parts = 0
        self._name, self._value = bytearray(), bytearray()
        self._disposition = b""
        self.is_whole = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begin,
                    "on_part_data": self._part_data,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_end": self._end,
                },
                max_header_count=_HEADERS,
                max_header_size=_HEADER_BYTES,
            )
        except FormParserError:
            raise _bad("has a boundary that is too long") from None

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes say."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise _bad("is not a well-formed multipart/form-data body") from None
        events, self._events = self._events, []
        return events

    def end(self) -> None:
        """No more bytes come."""
        if not self.is_whole:
            raise _bad("ends before its last boundary")

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            raise _bad(f"has more than {_PARTS} parts")
        self._disposition = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._name).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise _bad("has a part without a name")
        filename = options.get(b"filename")
        self._events.append(PartBegan(_text(options[b"name"]), None if filename is None else _text(filename)))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(PartData(bytes(data[start:end])))

    def _end(self) -> None:
        self.is_whole = True
        self._events.append(FormEnded())


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def _bad(problem: str) -> ApiError:
    return ApiError("invalid_request", f"The request body {problem}.")
