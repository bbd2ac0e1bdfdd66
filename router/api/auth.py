"""Who is asking: a key of the configuration, a key of the database, or the holder of an identity provider's token.

A secret is found by its SHA-256, in a dictionary or by an index, and nothing of it is ever compared byte by byte: how
long that takes tells nothing about the keys there are. What has not the shape of a secret is refused before it is
hashed. Who is known is found without waiting.

Two kinds of callers are kept apart: management keys administer and may not infer, all others infer and may not
administer.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from router.policy.key import Key
from router.protocol.errors import ApiError
from router.protocol.secret import digest_of, is_key
from router.store.away import DatabaseAway
from router.store.known_keys import KnownKeys, TooManyWait

Headers = Iterable[tuple[bytes, bytes]]

_LONGEST_SECRET = 1_024  # bytes; hashing is cheap up to there
_LONGEST_TOKEN = 8_192  # bytes of a JSON Web Token; those with many groups have 2,000
_TOKEN = re.compile(rb"[\w-]+\.[\w-]+\.[\w-]+")
_RETRY_AFTER_S = 5.0  # of a database that is away
_RETRY_SOON_S = 1.0  # of one that is busy


class Logins(Protocol):
    """Knows the holders of an identity provider's tokens."""

    def get(self, digest: str) -> Key | None: ...
    async def find(self, token: bytes, digest: str) -> Key:
        """Raises ApiError 401 and 503."""


class Authenticator:
    """One per router.

    Args:
        configured: keys of the configuration by their secrets.
        anonymous: who asks without a key; None: nobody may.
        known: keys of the database; None without one.
        logins: None without an identity provider.
        wall_clock: unix seconds.
    """

    def __init__(
        self,
        configured: Mapping[str, Key],
        *,
        wall_clock: Callable[[], float],
        anonymous: Key | None = None,
        known: KnownKeys | None = None,
        logins: Logins | None = None,
    ) -> None:
        self._configured = {digest_of(secret.encode()): key for secret, key in configured.items()}
        self._wall_clock = wall_clock
        self._anonymous = anonymous
        self._known = known
        self._logins = logins

    @property
    def has_management(self) -> bool:
        """Whether anybody can come with a management key."""
        return self._known is not None or any(key.is_management for key in self._configured.values())

    async def authenticate(self, headers: Headers, *, management: bool = False) -> Key:
        """The caller, if it is of the kind that is asked for.

        Raises:
            ApiError: 401 nobody we know, in the words that clients know from OpenRouter; 403 of the other kind;
                503 it cannot be told at the moment.
        """
        key = await self.identify(headers)
        if management and key is self._anonymous:
            raise ApiError("authentication", "Missing Authentication header")
        if key.is_management is not management:
            raise _other_kind(key)
        return key

    async def identify(self, headers: Headers) -> Key:
        """The caller, of whichever kind.

        Raises:
            ApiError: as `authenticate`, without 403.
        """
        secret = _secret(headers)
        if secret is None:
            if self._anonymous is None:
                raise ApiError("authentication", "Missing Authentication header")
            return self._anonymous
        key = await self._find(secret)
        if key is None:
            raise ApiError("authentication", "User not found.")
        if key.is_disabled:
            raise ApiError("authentication", "This API key is disabled.")
        if key.has_expired(self._wall_clock()):
            raise ApiError("authentication", "This API key has expired.")
        return key

    async def _find(self, secret: bytes) -> Key | None:
        if len(secret) <= _LONGEST_SECRET and secret.isascii():
            digest = digest_of(secret)
            if (key := self._configured.get(digest)) is not None:
                return key
            if self._known is not None and is_key(secret):
                return self._known.get(digest) or await _found(self._known, digest)
        if self._logins is not None and len(secret) <= _LONGEST_TOKEN and _TOKEN.fullmatch(secret):
            digest = digest_of(secret)
            return self._logins.get(digest) or await self._logins.find(secret, digest)
        return None


async def _found(known: KnownKeys, digest: str) -> Key | None:
    try:
        return await known.find(digest)
    except DatabaseAway:
        raise _unknown_yet("The key cannot be checked at the moment.", _RETRY_AFTER_S) from None
    except TooManyWait:
        raise _unknown_yet("Too many keys are being checked at the moment.", _RETRY_SOON_S) from None


def _secret(headers: Headers) -> bytes | None:
    """What the caller says it is; None: nothing. Raises ApiError 401."""
    plain: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            scheme, _, secret = value.partition(b" ")
            if scheme.lower() != b"bearer" or not (secret := secret.strip()):
                raise ApiError("authentication", "Missing Authentication header")
            return secret
        if name == b"x-api-key":  # as Anthropic's clients send it
            plain = value.strip()
    return plain or None


def _other_kind(key: Key) -> ApiError:
    if key.is_management:
        return ApiError("permission_denied", "Management keys cannot be used for inference. Please use an API key.")
    return ApiError("permission_denied", "Only management keys can perform this operation.")


def _unknown_yet(problem: str, retry_after_s: float) -> ApiError:
    return ApiError(
        "provider_overloaded",
        f"{problem} Please try again shortly.",
        metadata={"reason": "key_unchecked"},
        retry_after_s=retry_after_s,
    )
