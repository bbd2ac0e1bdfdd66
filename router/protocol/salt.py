"""What parts tenants in the engines' caches, so that none can find out by timing what another has asked.

A prompt whose beginning is cached is answered sooner, so whoever may guess at prompts can tell which ones others have
sent (CVE-2025-46570). vLLM mixes a request's `cache_salt` into the name of the prompt's first block, and so into all
that follow: only requests of the same salt find each other's blocks. The salt is the router's to give:

    base64url(HMAC-SHA256(secret, tenant)[:16])        tenant: `key:<id>` or `workspace:<id>`

128 bits that nobody guesses without the secret. All routers that serve the same engines need the same secret, or each
fills the caches anew and none understands the others' index. A tenant's salt is not to be logged.

What salts leave as it is: the cache of images that were prepared or encoded. It goes by the images' `uuid`, so the salt
goes into that too (`picture_name`).
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from router.policy.key import Key

SALT_BYTES = 16
SMALLEST_SECRET = 16  # bytes, as of the mesh's secret
_FINGERPRINT_BYTES = 4


@dataclass(frozen=True, slots=True)
class IsolationSettings:
    """Who shares the engines' caches with whom."""

    # off: all do, which is fastest (one system prompt is computed once for everybody); workspace: those of one
    # workspace; key: only requests of the same key
    cache_salt: Literal["off", "key", "workspace"] = "off"


class Salts:
    """Gives every key its tenant's salt."""

    def __init__(self, settings: IsolationSettings, secret: bytes = b"") -> None:
        """Raises ValueError when there is to be a salt and the secret is too short."""
        if settings.cache_salt != "off" and len(secret) < SMALLEST_SECRET:
            raise ValueError(
                f"secret: cache_salt {settings.cache_salt} needs one of at least {SMALLEST_SECRET} bytes, the same in"
                f" all routers, got {len(secret)}; `openssl rand -hex 32` makes one"
            )
        self._by = settings.cache_salt
        self._secret = secret

    def of(self, key: Key) -> str:
        """The salt for requests of this key; "" when tenants are not parted."""
        if self._by == "off":
            return ""
        of_key, of_workspace = key.owners
        tenant = of_key if self._by == "key" else of_workspace
        return urlsafe_b64encode(self._mac(tenant)[:SALT_BYTES]).rstrip(b"=").decode()

    @property
    def fingerprint(self) -> str:
        """Equal in routers whose salts are equal, and tells nothing of the secret; "" without salts."""
        return "" if self._by == "off" else self._mac(f"fingerprint:{self._by}")[:_FINGERPRINT_BYTES].hex()

    def _mac(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")


def picture_name(digest: bytes, salt: str) -> bytes:
    """The name of an image in prompts and caches: 32 bytes that are a tenant's own when there is a salt.

    Args:
        digest: SHA-256 of the image's bytes.
        salt: of the tenant, or "".
    """
    return sha256(digest + salt.encode()).digest() if salt else digest
