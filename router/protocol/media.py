"""The images of a request: counted, measured by their headers, and refused before an engine has to open them.

Each is known by the SHA-256 of its bytes: in the prompt's chain, and as `uuid` in the engine's caches, which then need
not hash what they have seen.
"""

from dataclasses import dataclass

import msgspec

from router.protocol.body import Body
from router.protocol.data_url import parse
from router.protocol.errors import invalid
from router.protocol.images import read_size
from router.protocol.limits import Limits
from router.protocol.tokens import image_tokens
from router.protocol.wire import read


class _ImageUrl(msgspec.Struct):
    url: msgspec.Raw
    detail: str | None = None  # auto, low, high, original: this model has one resolution


_image_url = msgspec.json.Decoder(_ImageUrl)
_string = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in a prompt."""

    digest: bytes  # SHA-256 of its bytes
    tokens: int


class Media:
    """What a request holds besides text; fills while its messages are read."""

    def __init__(self, body: Body, limits: Limits) -> None:
        self.body = body
        self._limits = limits
        self.kinds: set[str] = {"text"}
        self.images = 0
        self.pixels = 0
        self.tokens = 0  # of all images
        self.pictures: dict[str, Picture] = {}  # by digest in hexadecimal; one that is sent twice is one

    def add_image(self, raw: msgspec.Raw | None, path: str) -> str:
        """Check one `image_url` object and count it.

        Returns:
            Its digest in hexadecimal.

        Raises:
            ApiError: 400: no data URL, an unknown or broken format, too large, too many.
        """
        try:
            image_url: _ImageUrl = read(_image_url, b"null" if raw is None else raw)
        except ValueError:
            raise invalid(path, "must be an object with a url") from None
        path += ".url"
        url = self._url(bytes(image_url.url), path)
        try:
            image = parse(url)
            self._within(image.size, self._limits.image_bytes, "bytes", path)
            width, height, _ = read_size(image.read)
            tokens = self._measure(width, height, path)
            digest = image.sha256()
        except LookupError as error:
            raise invalid(path, str(error.args[0]), error_type="unsupported_image_format") from None
        except ValueError as error:
            raise invalid(path, str(error), error_type="invalid_image") from None
        name = digest.hex()
        self.pictures[name] = Picture(digest, tokens)
        return name

    def _url(self, raw: bytes, path: str) -> memoryview:
        cut = self.body.image(raw)
        if cut is not None:
            return cut[1:-1]
        try:
            url: str = read(_string, raw)
        except ValueError:
            raise invalid(path, "must be a string") from None
        if url[:5].lower() != "data:":
            problem = "only data URLs are accepted: the router does not fetch images; send data:image/png;base64,…"
            raise invalid(path, problem, error_type="image_download_failed")
        return memoryview(url.encode())

    def _measure(self, width: int, height: int, path: str) -> int:
        limits = self._limits
        tokens = image_tokens(width, height)
        self.kinds.add("image")
        self.images += 1
        self.pixels += width * height
        self.tokens += tokens
        if self.images > limits.images:
            raise invalid("messages", f"at most {limits.images} images in a request")
        self._within(width * height, limits.image_pixels, f"pixels ({width} x {height})", path)
        self._within(self.pixels, limits.image_pixels_total, "pixels in all images together", path)
        if max(width, height) > limits.image_aspect * min(width, height):
            problem = f"the longer side may be at most {limits.image_aspect} times the shorter ({width} x {height})"
            raise invalid(path, problem, error_type="invalid_image")
        return tokens

    @staticmethod
    def _within(value: int, bound: int, unit: str, path: str) -> None:
        if value > bound:
            raise invalid(path, f"at most {bound} {unit}, this has {value}", error_type="image_too_large")
