"""A picture of a request: its size by its header, its tokens by Pixtral's rule, and what the caches know it by."""

from dataclasses import dataclass

from router.protocol import data_url
from router.protocol.images import read_size
from router.protocol.tokens import image_tokens

MAX_SIDE = 1_540  # pixels; larger pictures are scaled down
PATCH = 28  # pixels of a token's side


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as the engine sees it."""

    width: int  # pixels, scaled
    height: int
    identifier: str

    @property
    def rows(self) -> int:
        return -(-self.height // PATCH)

    @property
    def columns(self) -> int:
        """Image tokens of a row; the row's end is one more."""
        return -(-self.width // PATCH)


def look_at(url: str, uuid: str | None) -> Seen:
    """Measure a picture.

    Args:
        url: a data URL.
        uuid: the caller's name for it, which then is its identifier.

    Raises:
        ValueError: it is no data URL of a picture; the message is safe to show.
    """
    if not url.startswith("data:"):
        raise ValueError("the simulator fetches no images: send a data URL")
    try:
        image = data_url.parse(memoryview(url.encode()))
        width, height, _ = read_size(image.read)
        identifier = uuid or image.sha256().hex()
    except LookupError as error:
        raise ValueError(str(error.args[0])) from None
    ratio = max(width, height) / MAX_SIDE
    if ratio > 1:
        width, height = max(round(width / ratio), 1), max(round(height / ratio), 1)
    seen = Seen(width, height, identifier)
    assert (seen.columns + 1) * seen.rows == image_tokens(width, height)
    return seen
