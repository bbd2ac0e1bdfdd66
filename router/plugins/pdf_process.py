"""Runs the process that reads a PDF (see pdf_worker), and ends it: when it is done, takes too long or writes too much.

Whoever waits may be cancelled at any time; the process is killed and waited for on every path, so that neither it nor a
zombie is left. What it writes is read as a stranger's: it may have been taken over.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

import msgspec

from router.plugins import pdf_worker
from router.plugins.file_settings import FileSettings
from router.plugins.pdf_worker import Found, Task

_SCRIPT = Path(pdf_worker.__file__)
_PIECE = 1_048_576  # bytes read at once
_found = msgspec.msgpack.Decoder(Found)


class Unreadable(Exception):
    """The document could not be read. `problem` is for callers; `limit`: the bound that it passed, if it did."""

    def __init__(self, problem: str, limit: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.limit = limit


async def read_pdf(document: bytes, settings: FileSettings, text_chars: int) -> Found:
    """Read a document in a process of its own. Raises Unreadable."""
    task = Task(
        parent=os.getpid(),
        cpu_s=settings.cpu_s,
        memory_bytes=settings.memory_bytes,
        pages=settings.pages,
        text_chars=text_chars,
        page_images=settings.page_images,
        image_side=settings.image_side,
    )
    head = msgspec.json.encode(task)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_SCRIPT), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/"
    )
    try:
        async with asyncio.timeout(settings.wall_s):
            raw = await _talk(process, len(head).to_bytes(4, "big") + head, document, settings.output_bytes)
    except TimeoutError:
        raise Unreadable(f"the document could not be read within {settings.wall_s:g} s", "wall_s") from None
    finally:
        await _end(process)
    try:
        found = _found.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = "the document could not be read: it is broken, or needs more memory or time than there is"
        raise Unreadable(problem, "process") from None
    _check(found, settings, text_chars)
    return found


async def _talk(process: Process, head: bytes, document: bytes, most: int) -> bytes:
    """Give it the document; all that it writes. Raises Unreadable when that is too much."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(ConnectionError):  # it has died already, or did not want to know: its output tells
        process.stdin.write(head)
        process.stdin.write(document)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()
    written = bytearray()
    while piece := await process.stdout.read(_PIECE):
        written += piece
        if len(written) > most:
            raise Unreadable(f"its texts and pictures have more than {most} bytes", "output_bytes")
    await process.wait()
    return bytes(written)


async def _end(process: Process) -> None:
    """Kill it, if it still runs, and leave nothing of it behind."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.communicate()


def _check(found: Found, settings: FileSettings, text_chars: int) -> None:
    match found.problem:
        case "":
            return
        case "encrypted":
            raise Unreadable("the document is encrypted with a password")
        case "pages":
            raise Unreadable(f"at most {settings.pages} pages, this has {found.count}", "pages")
        case "text_chars":
            raise Unreadable(f"at most {text_chars} characters of text, this has more", "file_text_chars")
        case _:
            raise Unreadable("the document is no PDF, or broken")
