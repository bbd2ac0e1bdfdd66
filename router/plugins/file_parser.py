"""Gets what a request only names, pictures and documents, before it is read: `fetch` of the inference routes.

    request → [pictures: fetched] and [documents: (fetched) → known? → a process of its own] → the request is read again

Pictures are somebody else's business (upstream/media). Documents are known by their SHA-256, and apart for tenants that
are parted by salts: how soon one is there would tell who else has sent it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from hashlib import sha256
from typing import Protocol, TypeAlias

from pybase64 import b64encode

from router.plugins.file_cache import FileCache
from router.plugins.file_settings import FileSettings
from router.plugins.pdf_process import Unreadable, read_pdf
from router.plugins.pdf_worker import Found
from router.protocol.errors import ApiError, invalid
from router.protocol.media import Fetched, Unfetched
from router.protocol.plugins.file_content import image_part, parsed_file, text_part
from router.protocol.plugins.files import AskedFile

_RETRY_AFTER_S = 2.0

FetchImages: TypeAlias = Callable[[Unfetched], Awaitable[Fetched]]
# From a URL: the document's bytes, of those that a request has room for. Raises ApiError, naming the field.
FetchFile: TypeAlias = Callable[[str, str, int, str], Awaitable[bytes]]  # URL, field, room, salt


class FileResult(Enum):
    """How a document was dealt with; the values are labels of metrics."""

    READ = "read"
    KNOWN = "known"  # it was in the cache
    REFUSED = "refused"  # encrypted, broken, over a bound
    BUSY = "busy"
    NOT_FETCHED = "not_fetched"
    ABANDONED = "abandoned"  # who waited has left


class Listener(Protocol):
    """Who is told of documents. Must not raise."""

    def on_file(self, result: FileResult, pages: int, seconds: float) -> None:
        """One is over, however."""


class FileParser:
    """Shared by all requests of a router."""

    def __init__(
        self,
        settings: FileSettings,
        *,
        text_chars: int,
        fetch_images: FetchImages,
        fetch_file: FetchFile,
        clock: Callable[[], float],
        listener: Listener,
    ) -> None:
        """`text_chars`: of one document. `clock`: monotonic, in seconds."""
        self._settings = settings
        self._text_chars = text_chars
        self._fetch_images = fetch_images
        self._fetch_file = fetch_file
        self._clock = clock
        self._listener = listener
        self._slots = asyncio.Semaphore(settings.processes)
        self.cache = FileCache(settings.cache_bytes)

    async def fetch(self, unfetched: Unfetched) -> Fetched:
        """All that a request is short of. Raises ApiError for the first that cannot be had, naming its field."""
        got: dict[str, bytes] = {}
        if unfetched.fields:
            got |= await self._fetch_images(unfetched)
        room = unfetched.room - sum(map(len, got.values())) * 3 // 4
        for asked in unfetched.files:
            parsed = await self._get(asked, room, unfetched.salt)
            room -= len(parsed) * 3 // 4
            if room < 0:
                problem = "the request is too large with what is in its files (limits.body_bytes)"
                raise invalid(asked.field, problem, limit="body_bytes")
            got[asked.key] = parsed
        return got

    async def _get(self, asked: AskedFile, room: int, salt: str) -> bytes:
        started, result, pages = self._clock(), FileResult.ABANDONED, 0
        try:
            digest, document = asked.digest, b""
            if asked.document is None:
                result = FileResult.NOT_FETCHED
                document = await self._fetch_file(asked.url, asked.field, max(0, room), salt)
                digest, result = sha256(document, usedforsecurity=False).hexdigest(), FileResult.ABANDONED
            parts = self.cache.get((salt, digest))
            if parts is not None:
                result = FileResult.KNOWN
                return parsed_file(digest, asked.name, parts)
            async with _Slot(self._slots, self._settings.wait_s, asked.field):
                found = await read_pdf(
                    asked.document.decoded() if asked.document is not None else document,
                    self._settings,
                    self._text_chars,
                )
            result, pages = FileResult.READ, found.count
            parts = _parts(found)
            self.cache.put((salt, digest), parts)
            return parsed_file(digest, asked.name, parts)
        except Unreadable as error:
            result = FileResult.REFUSED
            raise invalid(asked.field, error.problem, limit=error.limit) from None
        except ApiError as error:
            if error.limit == "processes":
                result = FileResult.BUSY
            raise
        finally:
            self._listener.on_file(result, pages, self._clock() - started)


class _Slot:
    """One of the processes."""

    def __init__(self, slots: asyncio.Semaphore, wait_s: float, field: str) -> None:
        self._slots = slots
        self._wait_s = wait_s
        self._field = field

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            problem = f"{self._field}: too many files are being read, please try again"
            raise ApiError(
                "provider_overloaded", problem, field=self._field, retry_after_s=_RETRY_AFTER_S, limit="processes"
            ) from None

    async def __aexit__(self, *exception: object) -> None:
        self._slots.release()


def _parts(found: Found) -> tuple[bytes, ...]:
    """A document's pages as raw JSON of content parts: texts in a row are one."""
    parts: list[bytes] = []
    texts: list[str] = []
    for page in found.pages:
        if page.jpeg:
            if texts:
                parts.append(text_part("\n\n".join(texts)))
                texts = []
            parts.append(image_part(b'"data:image/jpeg;base64,%b"' % b64encode(page.jpeg)))
        elif page.text:
            texts.append(page.text)
        else:
            texts.append(f"[page {page.number}: no text, and not shown as a picture]")
    if texts:
        parts.append(text_part("\n\n".join(texts)))
    return tuple(parts)
