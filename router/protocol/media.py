"""The images of a request: counted, measured by their headers, and refused before an engine has to open them.

Each is known by the SHA-256 of its bytes: in the prompt's chain, and as `uuid` in the engine's caches, which then need
not hash what they have seen. Where tenants are parted by a salt, that is hashed with it (see salt).

An image that is only named by a URL is counted here and its URL noted; nothing is fetched. Who fetches calls the parser
again with what came of it, and from then on that image is like any other: engines get data URLs alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from router.protocol.body import Body
from router.protocol.data_url import parse
from router.protocol.errors import invalid
from router.protocol.images import read_size
from router.protocol.limits import Limits
from router.protocol.plugins.files import AskedFile, Files
from router.protocol.salt import picture_name
from router.protocol.tokens import image_tokens
from router.protocol.wire import read


class _ImageUrl(msgspec.Struct):
    url: msgspec.Raw
    detail: str | None = None  # auto, low, high, original: this model has one resolution


_image_url = msgspec.json.Decoder(_ImageUrl)
_string = msgspec.json.Decoder(str)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])

# By URL: what was fetched from there, as a data URL in the form of a JSON string with its quotes. By the key of a
# document (see AskedFile): what was read in it, as JSON.
Fetched: TypeAlias = Mapping[str, bytes]


class Unfetched(Exception):
    """A request that is good as far as it can be judged without images and documents that have to be got first.

    Attributes:
        fields: by URL, each once, the first field that names it, e.g. `messages[2].content[0].image_url.url`.
        room: bytes that all these images may have together: with them the request may be as large as one that carries
            its images itself.
        salt: of the tenant, from whom others' fetched images are to be kept; "" when tenants are not parted.
        files: documents that have to be read.
    """

    def __init__(self, fields: Mapping[str, str], room: int, salt: str = "", files: tuple[AskedFile, ...] = ()) -> None:
        super().__init__(f"{len(fields)} images to be fetched" + (f", {len(files)} files to be read" if files else ""))
        self.fields = fields
        self.room = room
        self.salt = salt
        self.files = files

    @property
    def urls(self) -> tuple[str, ...]:
        """All of them, as the request names them."""
        return tuple(self.fields)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in a prompt."""

    digest: bytes  # 32 bytes that name it: SHA-256 of its bytes, or of that and the tenant's salt
    tokens: int


class Media:
    """What a request holds besides text; fills while its messages are read."""

    def __init__(self, body: Body, limits: Limits, fetched: Fetched, salt: str = "") -> None:
        self.body = body
        self._limits = limits
        self._fetched = fetched
        self._missing: dict[str, str] = {}
        self._salt = salt
        self.kinds: set[str] = {"text"}
        self.files = Files(body, limits, fetched)
        self.images = 0
        self.pixels = 0
        self.tokens = 0  # of all images
        self.pictures: dict[str, Picture] = {}  # by name in hexadecimal; one that is sent twice is one

    def check_fetched(self) -> None:
        """Raises Unfetched when images or documents have to be got before the request can be read."""
        if self._missing or self.files.missing:
            room = max(0, self._limits.body_bytes - self.body.size) * 3 // 4  # of base64
            raise Unfetched(self._missing, room, self._salt, tuple(self.files.missing.values()))

    def add_image(self, part: dict[str, msgspec.Raw], path: str) -> None:
        """Check one part's `image_url` object, at `path`, and count it. Its name in hexadecimal becomes its `uuid`.

        Raises:
            ApiError: 400: no data URL or one to be fetched, an unknown or broken format, too large, too many.
        """
        raw = part.get("image_url", msgspec.Raw(b"null"))
        try:
            image_url: _ImageUrl = read(_image_url, raw)
        except ValueError:
            raise invalid(path, "must be an object with a url") from None
        path += ".url"
        self.kinds.add("image")
        self.images += 1
        if self.images > self._limits.images:
            raise invalid("messages", f"at most {self._limits.images} images in a request", limit="images")
        url = self._url(bytes(image_url.url), path)
        if isinstance(url, str):
            if url not in self._fetched:
                self._missing.setdefault(url, path)
                return
            placeholder = self.body.add(self._fetched[url])
            fields: dict[str, msgspec.Raw] = read(_object, raw)
            part["image_url"] = msgspec.Raw(msgspec.json.encode(fields | {"url": msgspec.Raw(placeholder)}))
            url = self.body.images[-1][1:-1]
        name = self._add(url, path)
        part["uuid"] = msgspec.Raw(b'"%b"' % name.encode())

    def _add(self, url: memoryview, path: str) -> str:
        try:
            image = parse(url)
            self._within("image_bytes", image.size, "bytes", path)
            width, height, _ = read_size(image.read)
            tokens = self._measure(width, height, path)
            digest = picture_name(image.sha256(), self._salt)
        except LookupError as error:
            raise invalid(path, str(error.args[0]), error_type="unsupported_image_format") from None
        except ValueError as error:
            raise invalid(path, str(error), error_type="invalid_image") from None
        name = digest.hex()
        self.pictures[name] = Picture(digest, tokens)
        return name

    def _url(self, raw: bytes, path: str) -> memoryview | str:
        """A data URL, or as text one to be fetched."""
        cut = self.body.image(raw)
        if cut is not None:
            return cut[1:-1]
        try:
            url: str = read(_string, raw)
        except ValueError:
            raise invalid(path, "must be a string") from None
        scheme = url.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return url
        if scheme != "data":
            problem = "must be a data URL (data:image/png;base64,…) or one of http or https"
            raise invalid(path, problem, error_type="image_download_failed")
        return memoryview(url.encode())

    def _measure(self, width: int, height: int, path: str) -> int:
        limits = self._limits
        tokens = image_tokens(width, height)
        self.pixels += width * height
        self.tokens += tokens
        self._within("image_pixels", width * height, f"pixels ({width} x {height})", path)
        self._within("image_pixels_total", self.pixels, "pixels in all images together", path)
        if max(width, height) > limits.image_aspect * min(width, height):
            problem = f"the longer side may be at most {limits.image_aspect} times the shorter ({width} x {height})"
            raise invalid(path, problem, error_type="invalid_image", limit="image_aspect")
        return tokens

    def _within(self, limit: str, value: int, unit: str, path: str) -> None:
        """`limit`: the field of the limits."""
        bound: int = getattr(self._limits, limit)
        if value > bound:
            problem = f"at most {bound} {unit}, this has {value}"
            raise invalid(path, problem, error_type="image_too_large", limit=limit)
