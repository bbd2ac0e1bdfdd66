"""How many tokens a prompt will have, before anyone has counted.

Text is estimated from its bytes. Images are exact: Pixtral's rule as mistral-common applies it. The picture is scaled
down until its longer side is at most 1540 pixels; each patch of 28 x 28 (14-pixel patches, merged two by two) is a
token, and so is the end of each row.
"""

import math
from dataclasses import dataclass
from typing import Protocol

_MAX_SIDE = 1_540  # pixels
_PATCH = 28  # pixels


def image_tokens(width: int, height: int) -> int:
    """Tokens of one image of that many pixels."""
    ratio = max(width, height) / _MAX_SIDE
    if ratio > 1:
        width, height = max(round(width / ratio), 1), max(round(height / ratio), 1)
    columns = (width - 1) // _PATCH + 1
    rows = (height - 1) // _PATCH + 1
    return (columns + 1) * rows


def text_tokens(text_bytes: int, bytes_per_token: float) -> int:
    """Estimated tokens of that many bytes of rendered text, control tokens by their names among it."""
    return math.ceil(text_bytes / bytes_per_token)


class Lengths(Protocol):
    """Knows how long tokens are."""

    def bytes_per_token(self, model: str, content: str) -> float:
        """Bytes of text in a token, of prompts to `model` of that class of content; above 0."""


@dataclass(frozen=True, slots=True)
class FixedLengths:
    """The same figure for all text."""

    figure: float = 4.0  # bytes a token; of English text under Tekken, nearly

    def bytes_per_token(self, model: str, content: str) -> float:
        """The figure."""
        return self.figure
