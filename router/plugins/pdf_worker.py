"""The process that reads one PDF, and ends. Run as a script: `python -I pdf_worker.py`, the document on its input.

PDFs are programs for a large C++ library, written by strangers. So each is read by a process that was started for it:
what goes wrong in there ends with it, and what takes it over finds no other document, no key and no other request. It
has a bounded amount of memory and processor time, cannot write to files, opens few, starts no process, and dies with
the router. It imports nothing of the router: it runs isolated, wherever the router is installed.

Input: four bytes with the length of a JSON object (see `Task`), the object, the PDF. Output: MessagePack (see `Found`).
"""

import ctypes
import os
import resource
import signal
import sys
from io import BytesIO
from typing import Any, BinaryIO

import msgspec

_PR_SET_PDEATHSIG = 1
_ERR_PASSWORD = 4  # FPDF_ERR_PASSWORD
_POINTS = 72.0  # units of a page in an inch
_MOST_DPI = 200.0  # more shows nothing more of a small page
_MOST_RATIO = 50.0  # longer side / shorter side; beyond it a page is a line
_JPEG_QUALITY = 85
_FILES = 16


class Task(msgspec.Struct):
    """What to do, and the bounds."""

    parent: int
    cpu_s: int
    memory_bytes: int
    pages: int
    text_chars: int
    page_images: int
    image_side: int


class Page(msgspec.Struct):
    """One of them, by its number from 1."""

    number: int
    text: str = ""
    jpeg: bytes = b""


class Found(msgspec.Struct):
    """What the document holds, or why that cannot be told: encrypted, broken, pages, text_chars."""

    pages: list[Page] = []
    count: int = 0  # of pages in the document
    problem: str = ""


def confine(task: Task) -> None:
    """Give up what reading a document needs not."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != task.parent:
        sys.exit(1)  # it has died in the meantime
    for kind, bound in (
        (resource.RLIMIT_AS, task.memory_bytes),
        (resource.RLIMIT_CPU, task.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        resource.setrlimit(kind, (bound, bound))


def look(data: bytes, task: Task) -> Found:
    """Read a document."""
    from pypdfium2 import PdfDocument, PdfiumError  # type: ignore[import-untyped]  # not loaded before it is confined

    try:
        document = PdfDocument(data)
    except PdfiumError as error:
        is_encrypted = getattr(error, "err_code", None) == _ERR_PASSWORD
        return Found(problem="encrypted" if is_encrypted else "broken")
    count = len(document)
    if not count:
        return Found(problem="broken")
    if count > task.pages:
        return Found(count=count, problem="pages")
    pages: list[Page] = []
    chars = images = 0
    for index in range(count):
        found = Page(index + 1)
        pages.append(found)
        try:
            page = document[index]
            text_page = page.get_textpage()
            chars += text_page.count_chars()
            if chars > task.text_chars:
                return Found(count=count, problem="text_chars")
            found.text = text_page.get_text_bounded().replace("\r\n", "\n").replace("\0", "").strip()
            if not found.text and images < task.page_images:
                images += 1
                found.jpeg = _picture(page, task.image_side)
            text_page.close()
            page.close()
        except PdfiumError:
            continue  # one page is broken, and stays empty
    return Found(pages, count)


def _picture(page: Any, side: int) -> bytes:
    """A JPEG of the page; nothing of one without a sensible size."""
    width, height = page.get_size()
    longer, shorter = max(width, height), min(width, height)
    if not (shorter > 0 and longer <= _MOST_RATIO * shorter):
        return b""
    scale = min(side / longer, _MOST_DPI / _POINTS)
    if shorter * scale < 1:
        return b""
    out = BytesIO()
    image = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False).to_pil()
    image.convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Do the one task."""
    size = int.from_bytes(source.read(4), "big")
    task = msgspec.json.decode(source.read(size), type=Task)
    confine(task)
    sink.write(msgspec.msgpack.encode(look(source.read(), task)))
    sink.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # nothing is left to be tidied up, and a library's way of doing so may hang
