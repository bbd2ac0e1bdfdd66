"""Keeps an identity provider's public keys: fetched ahead of need, again when a token names one that is not there.

Keys change a few times a year, and then at once: a token that names an unknown key makes us look, but no more often
than `jwks_min_s`, whoever sends such tokens. While the provider is away its last keys count on, up to `jwks_stale_s`.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import jwt
import msgspec

from router.protocol.key_set import KeySet, Signed, read_key_set
from router.protocol.oidc_settings import OidcSettings
from router.upstream.session import Session

_LARGEST = 524_288  # bytes of a document; usual are 5,000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
logger = logging.getLogger(__name__)


class KeysAway(Exception):
    """The provider's keys could not be fetched, or not for too long."""


class Jwks:
    """One per provider; `run` beside the requests.

    Args:
        session: to fetch with.
        settings: from where, how often.
        clock: monotonic seconds.
    """

    def __init__(self, session: Session, settings: OidcSettings, *, clock: Callable[[], float]) -> None:
        self._session = session
        self._settings = settings
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None
        self._is_wanted = asyncio.Event()
        self._next: asyncio.Future[None] | None = None  # done when the fetch that is to come is over
        self.fetches = 0  # for metrics
        self.failures = 0  # of them

    def get(self, signed: Signed) -> jwt.PyJWK | None:
        """The key that a token must be signed by. None: `find` it."""
        return None if self._keys is None or self._is_stale else self._keys.get(signed)

    async def find(self, signed: Signed) -> jwt.PyJWK | None:
        """As `get`, after a look whether it has come to be there; None: there is no such key. Raises KeysAway."""
        tried_at = self._tried_at
        if tried_at is None or self._clock() - tried_at >= self._settings.jwks_min_s or self._next is not None:
            if self._next is None:
                self._next = asyncio.get_running_loop().create_future()
                self._is_wanted.set()
            # twice: the discovery document, and the keys; and who waits for it must not be able to cancel it
            await asyncio.wait((self._next,), timeout=2 * self._settings.jwks_timeout_s + 1)
        if self._keys is None or self._is_stale:
            raise KeysAway
        return self._keys.get(signed)

    async def run(self) -> None:
        """Fetch, until cancelled."""
        try:
            while True:
                await self.fetch()
                self._is_wanted.clear()  # those who wanted it have it
                again_s = self._settings.jwks_ttl_s if self._has_succeeded else self._settings.jwks_min_s
                with suppress(TimeoutError):
                    async with asyncio.timeout(again_s):
                        await self._is_wanted.wait()
        finally:
            self._release()

    async def fetch(self) -> None:
        """Fetch the keys once; keep the last ones if that fails."""
        began = self._tried_at = self._clock()
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        self.fetches += 1
        try:
            url = self._settings.jwks_url or await self._discover()
            self._keys = read_key_set(await self._get(url), self._settings.algorithms)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self.failures += 1
            logger.warning("keys of the identity provider cannot be fetched: %s", error or type(error).__name__)
        else:
            self._fetched_at = began
        finally:
            self._release()

    @property
    def _is_stale(self) -> bool:
        return self._clock() - self._fetched_at > self._settings.jwks_stale_s

    @property
    def _has_succeeded(self) -> bool:
        return self._keys is not None and self._fetched_at == self._tried_at

    def _release(self) -> None:
        following, self._next = self._next, None
        if following is not None and not following.done():
            following.set_result(None)

    async def _discover(self) -> str:
        """OpenID Connect Discovery 1.0, section 4."""
        document = await self._get(self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        try:
            found = msgspec.json.decode(document, type=_Discovery)
        except msgspec.DecodeError:
            raise ValueError("its discovery document has no issuer and jwks_uri") from None
        if found.issuer != self._settings.issuer:
            raise ValueError("its discovery document is another issuer's")
        return found.jwks_uri

    async def _get(self, url: str) -> bytes:
        check_url(url)
        timeout = aiohttp.ClientTimeout(total=self._settings.jwks_timeout_s)
        async with self._session.get(url, headers=_HEADERS, timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"it answered {response.status}")
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > _LARGEST:
                    raise ValueError(f"its answer is larger than {_LARGEST} bytes")
            return bytes(body)


def check_url(url: str) -> None:
    """Whoever can change the keys on their way can be anybody.

    Raises:
        ValueError: it is neither https nor on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("its address must begin with https://")


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str
