"""What a caller asks for in headers, beside the body."""

import math
from dataclasses import dataclass
from typing import Self

from router.api.auth import Headers
from router.protocol.errors import invalid
from router.protocol.told import LONGEST_SESSION

_TIMEOUT = b"x-request-timeout"
_SESSION = b"x-session-id"
_METADATA = (b"x-openrouter-metadata", b"x-openrouter-experimental-metadata")  # the second is what it was called once


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one request."""

    timeout_s: float | None = None  # until the answer has begun; of an answer that is not streamed, until it is whole
    wants_metadata: bool = False
    session: str | None = None  # what the caller calls the conversation

    @classmethod
    def of(cls, headers: Headers) -> Self:
        """Read the headers, whose names are in lower case.

        Raises:
            ApiError: 400, a timeout that is no number of seconds above zero.
        """
        timeout_s: float | None = None
        wants_metadata = False
        session: str | None = None
        for name, value in headers:
            if name == _TIMEOUT:
                timeout_s = _seconds(value)
            elif name in _METADATA:
                wants_metadata = value.strip().lower() == b"enabled"
            elif name == _SESSION:
                session = value.decode("latin-1").strip()[:LONGEST_SESSION] or None
        return cls(timeout_s, wants_metadata, session)


def _seconds(value: bytes) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not (seconds > 0 and math.isfinite(seconds)):
        raise invalid("X-Request-Timeout", "must be a number of seconds above 0")
    return seconds
