"""Pictures that were fetched lately, by URL and by content, bounded in bytes and in URLs.

A conversation sends its pictures again with every turn, and must not have them fetched again: the host may be slow, or
show another picture under the same URL, which would void the engine's cache of all that follows. URLs that lead to the
same bytes share them. Nothing is asked of the server's headers but `no-store`, which whoever fills the cache obeys.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import sha256

from router.upstream.media_result import Arrived


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    until: float  # clock


@dataclass(slots=True)
class _Kept:
    picture: Arrived
    urls: int  # that lead here


class MediaCache:
    """The least recently used URL is dropped first; a picture goes with the last of its URLs."""

    def __init__(self, *, most_bytes: int, most_urls: int, ttl_s: float) -> None:
        """`most_bytes`: of base64, which is what is kept; 0 keeps nothing."""
        self._most_bytes = most_bytes
        self._most_urls = most_urls
        self._ttl_s = ttl_s
        self._urls: OrderedDict[Hashable, _Known] = OrderedDict()  # the least recently used first
        self._pictures: dict[bytes, _Kept] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._urls)

    def get(self, url: Hashable, now: float) -> Arrived | None:
        """What the URL showed, if that was not too long ago."""
        known = self._urls.get(url)
        if known is None:
            return None
        if now >= known.until:
            self._drop(url)
            return None
        self._urls.move_to_end(url)
        return self._pictures[known.digest].picture

    def put(self, url: Hashable, picture: Arrived, now: float) -> None:
        """Keep it, unless it is larger than all that may be kept."""
        if len(picture.image) > self._most_bytes:
            return
        if url in self._urls:
            self._drop(url)
        digest = sha256(picture.image, usedforsecurity=False).digest()
        kept = self._pictures.get(digest)
        if kept is None:
            kept = self._pictures[digest] = _Kept(picture, 0)
            self.bytes += len(picture.image)
        kept.urls += 1
        self._urls[url] = _Known(digest, now + self._ttl_s)
        while self.bytes > self._most_bytes or len(self._urls) > self._most_urls:
            self._drop(next(iter(self._urls)))

    def _drop(self, url: Hashable) -> None:
        digest = self._urls.pop(url).digest
        kept = self._pictures[digest]
        kept.urls -= 1
        if not kept.urls:
            del self._pictures[digest]
            self.bytes -= len(kept.picture.image)
