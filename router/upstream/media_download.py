"""One picture, or one PDF, from one URL: redirects by hand, each hop checked like the first; read no further than kept.

What is trusted of an answer: nothing. Its length is counted, its type is compared with its first bytes, compressed
ones are refused (a kilobyte can become a gigabyte), and its size in pixels is looked for while it arrives. The request
says nothing of who asks: no cookies, credentials, referrer or caller's headers.
"""

import asyncio
import logging
from collections.abc import Callable

import aiohttp
from pybase64 import b64encode
from yarl import URL

from router.protocol.data_url import MEDIA_TYPES
from router.protocol.images import HEAD_BYTES, format_of, read_size
from router.protocol.limits import Limits
from router.protocol.media_url import MediaUrl, UrlRules
from router.upstream.media_connector import NotPublic
from router.upstream.media_result import Arrived, NotFetched, Result
from router.upstream.media_settings import MediaSettings
from router.upstream.media_slots import Slots

HEADERS = {
    "User-Agent": "Tramontane (fetches images for language models)",
    "Accept": "image/png, image/jpeg, image/webp, image/gif",
    "Accept-Encoding": "identity",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PDF = "application/pdf"
_PDF_HEAD = b"%PDF-"  # within the first kilobyte, say readers; some servers' PDFs begin with a few odd bytes
_PDF_HEAD_WITHIN = 1_024
_GONE = frozenset({404, 410})
_UNREACHABLE = "the image's host cannot be reached, or is not public"

logger = logging.getLogger(__name__)


class Downloads:
    """Fetches pictures, so many at a time."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: MediaSettings, rules: UrlRules, limits: Limits
    ) -> None:
        """`session`: on a PublicConnector."""
        self._session = session
        self._settings = settings
        self._rules = rules
        self._limits = limits
        self._slots = Slots(total=settings.fetches, per_host=settings.fetches_per_host, wait_s=settings.wait_s)
        self.receiving = 0  # bytes of what has not arrived as a whole

    @property
    def hosts(self) -> int:
        """From how many something is fetched now, or will be as soon as there is a place."""
        return self._slots.hosts

    async def get(self, text: str, on_bytes: Callable[[int], None], *, is_pdf: bool = False) -> Arrived:
        """Fetch a picture, or a PDF. `on_bytes` is told how many more have come. Raises NotFetched, nothing else."""
        try:
            async with asyncio.timeout(self._settings.total_s):
                return await self._follow(text, on_bytes, is_pdf)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translated(error) from None

    async def _follow(self, text: str, on_bytes: Callable[[int], None], is_pdf: bool) -> Arrived:
        try:
            url = self._rules.read(text)
        except ValueError as error:
            raise NotFetched(Result.URL_REFUSED, str(error)) from None
        for _ in range(self._settings.redirects + 1):
            async with self._slots.of(url.host):
                found = await self._hop(url, on_bytes, is_pdf)
            if isinstance(found, Arrived):
                return found
            url = found
        problem = f"the image's URL redirects more than {self._settings.redirects} times"
        raise NotFetched(Result.REDIRECT_REFUSED, problem)

    async def _hop(self, url: MediaUrl, on_bytes: Callable[[int], None], is_pdf: bool) -> Arrived | MediaUrl:
        """What was looked for, or where a redirect leads."""
        address = URL(str(url), encoded=True)
        if (address.raw_host, address.port, address.raw_path_qs) != (url.host, url.port, url.target):
            raise NotFetched(Result.URL_REFUSED, "the URL can be read in two ways")
        accept = {"Accept": _PDF} if is_pdf else None
        async with self._session.get(address, allow_redirects=False, headers=accept) as answer:
            if answer.status in _REDIRECTS:
                return self._redirected(url, answer.headers.getall("Location", []))
            if answer.status in _GONE:
                raise NotFetched(Result.NOT_FOUND, f"there is no such image (status {answer.status})")
            if answer.status != 200:
                raise NotFetched(Result.STATUS, f"the image's host answered with status {answer.status}")
            return await self._body(answer, on_bytes, is_pdf)

    def _redirected(self, url: MediaUrl, locations: list[str]) -> MediaUrl:
        try:
            if len(locations) != 1:
                raise ValueError("it must name one location")
            return self._rules.follow(url, locations[0])
        except ValueError as error:
            problem = f"the image's URL redirects to where it may not: {error}"
            raise NotFetched(Result.REDIRECT_REFUSED, problem) from None

    async def _body(self, answer: aiohttp.ClientResponse, on_bytes: Callable[[int], None], is_pdf: bool) -> Arrived:
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower().replace("jpg", "jpeg")
        if is_pdf and kind != _PDF:
            raise NotFetched(Result.TYPE_REFUSED, "what the URL leads to is not a PDF document")
        if not is_pdf and kind not in MEDIA_TYPES:
            raise NotFetched(Result.TYPE_REFUSED, "what the URL leads to is not a PNG, JPEG, WebP or GIF image")
        if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise NotFetched(Result.TYPE_REFUSED, "the image's host sends it compressed, without being asked to")
        most = "file_bytes" if is_pdf else "image_bytes"
        if (answer.content_length or 0) > getattr(self._limits, most):
            raise self._too_large(most)
        data = await self._read(answer.content, kind, on_bytes, most)
        self._check(data, kind, is_whole=True)
        directives = {part.strip().lower() for part in ",".join(answer.headers.getall("Cache-Control", [])).split(",")}
        image = b'"data:%b;base64,%b"' % (kind.encode(), b64encode(data))
        return Arrived(image, len(data), may_keep="no-store" not in directives)

    async def _read(
        self, content: aiohttp.StreamReader, kind: str, on_bytes: Callable[[int], None], most: str
    ) -> bytearray:
        """`most`: the limit on its bytes."""
        data = bytearray()
        look_at = HEAD_BYTES  # bytes; doubled each time, so that looking costs no more than reading
        try:
            async for piece in content.iter_any():
                self.receiving += len(piece)
                data += piece
                if len(data) > getattr(self._limits, most):
                    raise self._too_large(most)
                if self.receiving > self._settings.receiving_bytes:
                    problem = "too many images are being fetched, please try again"
                    raise NotFetched(Result.BUSY, problem, "receiving_bytes")
                on_bytes(len(piece))
                if len(data) >= look_at:
                    look_at = 2 * len(data)
                    self._check(data, kind, is_whole=False)
        finally:
            self.receiving -= len(data)
        return data

    def _check(self, data: bytearray, kind: str, *, is_whole: bool) -> None:
        """Look at what has come so far."""
        if kind == _PDF:
            if _PDF_HEAD not in data[:_PDF_HEAD_WITHIN] and (is_whole or len(data) >= _PDF_HEAD_WITHIN):
                raise NotFetched(Result.TYPE_REFUSED, "the image's host says it is a PDF, its first bytes do not")
            return
        try:
            if f"image/{format_of(bytes(data[:HEAD_BYTES]))}" != kind:
                raise NotFetched(Result.TYPE_REFUSED, f"the image's host says it is {kind}, its first bytes do not")
        except ValueError as error:
            raise NotFetched(Result.TYPE_REFUSED, str(error)) from None
        try:
            width, height, _ = read_size(lambda offset, count: bytes(data[offset : offset + count]))
        except ValueError as error:
            if is_whole:
                raise NotFetched(Result.TYPE_REFUSED, str(error)) from None
            return  # its header has not come as a whole
        if width * height > self._limits.image_pixels:
            problem = f"at most {self._limits.image_pixels} pixels, this has {width} x {height}"
            raise NotFetched(Result.TOO_LARGE, problem, "image_pixels")

    def _too_large(self, most: str) -> NotFetched:
        return NotFetched(Result.TOO_LARGE, f"at most {getattr(self._limits, most)} bytes, this has more", most)


def _translated(error: Exception) -> NotFetched:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, NotPublic):
        logger.info("no image is fetched from %s", cause)
        return NotFetched(Result.ADDRESS_REFUSED, _UNREACHABLE)
    if isinstance(error, TimeoutError):
        return NotFetched(Result.TIMEOUT, "the image did not arrive in time")
    if isinstance(error, aiohttp.ClientError | OSError):
        return NotFetched(Result.UNREACHABLE, _UNREACHABLE)
    return NotFetched(Result.UNREACHABLE, "the image's host did not answer in HTTP")  # as aiohttp found out
