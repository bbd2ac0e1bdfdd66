"""What a key of the database looks like: `sk-or-v1-` and 64 hexadecimal digits. Its SHA-256 is all that is kept.

A plain hash is enough where the secret is 256 random bits: nobody can try them, so nothing needs to be slow.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

PREFIX = "sk-or-v1-"
_SHAPE = re.compile(rb"sk-or-v1-[0-9a-f]{64}")
_SHOWN = 3  # characters at either end of the random part: 24 of its 256 bits


def digest_of(secret: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(secret).hexdigest()


def is_key(secret: bytes) -> bool:
    """Whether it may be a key of the database at all."""
    return _SHAPE.fullmatch(secret) is not None


@dataclass(frozen=True, slots=True)
class FreshKey:
    """A secret that was just made; it is shown once and kept nowhere."""

    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        return digest_of(self.secret.encode())

    @property
    def label(self) -> str:
        """What may be shown of it ever after."""
        return f"{self.secret[: len(PREFIX) + _SHOWN]}...{self.secret[-_SHOWN:]}"


def fresh_key(token_hex: Callable[[int], str] = secrets.token_hex) -> FreshKey:
    """`token_hex`: so many unguessable bytes, in hexadecimal."""
    return FreshKey(PREFIX + token_hex(32))
