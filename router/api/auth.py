"""Who is asking: bearer keys. Only hashes are kept; a key is found by its hash, so nothing is compared bytewise."""

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from router.policy.call import Priority
from router.protocol.errors import ApiError

ANONYMOUS = "anonymous"
Headers = Iterable[tuple[bytes, bytes]]
_NO_PRIORITIES: Mapping[str, Priority] = MappingProxyType({})


class Keys:
    """The keys of a configuration: names by the SHA-256 of the key."""

    def __init__(
        self, secrets: Mapping[str, str], *, allow_anonymous: bool, priorities: Mapping[str, Priority] = _NO_PRIORITIES
    ) -> None:
        """`secrets`: the key by its name. `priorities`: the most that its holder may ask for; normal where none."""
        self._priorities = priorities
        self._names = {_digest(secret.encode()): name for name, secret in secrets.items()}
        self._allow_anonymous = allow_anonymous

    def authenticate(self, headers: Headers) -> str:
        """The name of the caller's key. Raises ApiError 401, in the words that OpenRouter's clients know."""
        given = next((value for name, value in headers if name == b"authorization"), None)
        if given is None:
            if self._allow_anonymous:
                return ANONYMOUS
            raise ApiError("authentication", "Missing Authentication header")
        scheme, _, secret = given.partition(b" ")
        if scheme.lower() != b"bearer" or not secret.strip():
            raise ApiError("authentication", "Missing Authentication header")
        name = self._names.get(_digest(secret.strip()))
        if name is None:
            raise ApiError("authentication", "User not found.")
        return name

    def priority(self, name: str) -> Priority:
        """The most that the holder of a key may ask for."""
        return self._priorities.get(name, Priority.NORMAL)


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
