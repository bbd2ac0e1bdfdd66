"""How many tokens a prompt will have, before anyone has counted.

Text is estimated from its bytes. Images are exact: Pixtral's rule as mistral-common applies it. The picture is scaled
down until its longer side is at most 1540 pixels; each patch of 28 x 28 (14-pixel patches, merged two by two) is a
token, and so is the end of each row.
"""

import math

_MAX_SIDE = 1_540  # pixels
_PATCH = 28  # pixels
_MESSAGE = 4  # control tokens around a message: [INST], [/INST], </s> and a separator


def image_tokens(width: int, height: int) -> int:
    """Tokens of one image of that many pixels."""
    ratio = max(width, height) / _MAX_SIDE
    if ratio > 1:
        width, height = max(round(width / ratio), 1), max(round(height / ratio), 1)
    columns = (width - 1) // _PATCH + 1
    rows = (height - 1) // _PATCH + 1
    return (columns + 1) * rows


def text_tokens(text_bytes: int, messages: int, bytes_per_token: float) -> int:
    """Estimated tokens of that many bytes of text in that many messages."""
    return math.ceil(text_bytes / bytes_per_token) + _MESSAGE * messages
