"""`POST /files`: a form whose file goes to the database as it comes, and is never whole in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.requests import ClientDisconnect

from router.policy.key import Key
from router.protocol.errors import ApiError, invalid
from router.protocol.file_object import PURPOSES
from router.protocol.multipart import Event, Form, PartBegan, PartData
from router.store.file_records import FileGone, FileRecord, NewFile
from router.store.file_writer import FileWriter

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.files import FileStore

_FIELD_BYTES = 1_024  # of a field beside the file
_LONGEST_NAME = 255  # characters of a file's name, as file systems have it
_SHORTEST_S, _LONGEST_S = 3_600, 2_592_000  # OpenAI's bounds for a file that expires


@dataclass(slots=True)
class _Fields:
    """What was said beside the file."""

    values: dict[str, bytearray] = field(default_factory=dict)
    name: str | None = None  # of the field that is arriving; None: it is the file

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None else value.decode(errors="replace")


async def receive_file(request: Request, store: "FileStore", key: Key) -> tuple[FileRecord, bool]:
    """The file, and whether its sender said what for, which only OpenAI's clients do.

    Raises:
        ApiError: 400 and 413, naming the field at fault.
    """
    form, fields = Form(request.headers.get("content-type", "").encode("latin-1")), _Fields()
    async with AsyncExitStack() as stack:
        writer: FileWriter | None = None
        try:
            async for event in _events(request, form):
                if isinstance(event, PartBegan):
                    if event.filename is None:
                        fields.name = event.name
                        fields.values.setdefault(event.name, bytearray())
                        continue
                    if event.name != "file" or writer is not None:
                        raise invalid(event.name[:100], "one file is taken, in the field `file`")
                    fields.name = None
                    new = NewFile(key.workspace, _name(event.filename), key.id)
                    writer = await stack.enter_async_context(FileWriter(store, new))
                elif isinstance(event, PartData):
                    if fields.name is not None:
                        _extend(fields, event.data)
                    elif writer is not None:
                        await writer.write(event.data)
            form.end()
            if writer is None:
                raise invalid("file", "is required, with a filename")
            if not writer.size:
                raise invalid("file", "is empty")
            purpose = fields.text("purpose")
            if purpose is not None and purpose not in PURPOSES:
                raise invalid("purpose", f"must be one of {', '.join(sorted(PURPOSES))}")
            return await writer.end(purpose or "user_data", _keep_s(fields)), purpose is not None
        except FileGone:
            raise invalid("file", "was deleted while it arrived") from None
        except ClientDisconnect:
            raise ApiError("client_closed_request", "The client left before its file was whole.") from None


async def _events(request: Request, form: Form) -> AsyncIterator[Event]:
    async for data in request.stream():
        for event in form.feed(data):
            yield event


def _extend(fields: _Fields, data: bytes) -> None:
    assert fields.name is not None
    value = fields.values[fields.name]
    value += data
    if len(value) > _FIELD_BYTES:
        raise invalid(fields.name[:100], f"has at most {_FIELD_BYTES} bytes")


def _name(filename: str) -> str:
    """The last part of what may be a path on the sender's machine; it names nothing here."""
    name = filename.replace("\\", "/").rpartition("/")[2].strip()
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable[:_LONGEST_NAME] or "file"


def _keep_s(fields: _Fields) -> int | None:
    anchor, seconds = fields.text("expires_after[anchor]"), fields.text("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise invalid("expires_after[anchor]", "must be created_at")
    text = seconds or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and _SHORTEST_S <= int(text) <= _LONGEST_S):
        raise invalid("expires_after[seconds]", f"must be a whole number from {_SHORTEST_S} to {_LONGEST_S}")
    return int(text)
