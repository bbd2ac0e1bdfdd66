"""TLS by the router itself: certificates are read anew when their files change, without a restart.

Each connection is given the context of the moment it comes: those that live keep what they were made with. A new pair
that cannot be used (a key of another certificate, half a file) is refused loudly, and the one before stays.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]  # per file: mtime in ns, inode, size


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    certificate: str  # path of the chain, PEM, the router's own first
    key: str  # path of its private key, PEM, without a pass phrase
    client_ca: str | None = None  # path of the CAs, PEM, one of which every client's certificate must come from
    # least version; 1.2 is what a client of 2012 speaks, and 1.0 and 1.1 are broken (RFC 8996)
    minimum: Literal["1.2", "1.3"] = "1.2"
    handshake_s: float = 10.0  # longest handshake: two round trips and a signature
    reload_s: float = 10.0  # between looks at the files; they are renewed days before they expire

    def __post_init__(self) -> None:
        for name in ("certificate", "key"):
            if not getattr(self, name):
                raise ValueError(f"{name} must be the path of a PEM file")
        for name in ("handshake_s", "reload_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Validity:
    """Of a whole chain: when all its certificates are valid, in unix seconds."""

    begins: float
    ends: float


class Certificates:
    """The context for new connections, and how long it is good. `reloads` and `failures` count."""

    def __init__(self, settings: TlsSettings) -> None:
        """Raises OSError or ssl.SSLError when the files cannot be used."""
        self.settings = settings
        self.reloads = 0
        self.failures = 0
        self._stamp = self._look()
        self.context, self.validity = _load(settings)

    def poll(self) -> bool:
        """Read the files if they have changed; True when there is a new context. Raises nothing."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return False
            self._stamp = stamp  # a pair that is bad is tried once, not at every look
            self.context, self.validity = _load(self.settings)
        except OSError as error:  # ssl.SSLError is one
            self.failures += 1
            logger.error("the new TLS certificate cannot be used, the one before stays: %s", error)
            return False
        self.reloads += 1
        logger.info("TLS certificate reloaded from %s", self.settings.certificate)
        return True

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Poll until cancelled."""
        while True:
            await sleep(self.settings.reload_s)
            await asyncio.to_thread(self.poll)  # a disk that hangs must not hang the router

    def _look(self) -> Stamp:
        paths = (self.settings.certificate, self.settings.key, self.settings.client_ca)
        stats = [os.stat(path) for path in paths if path is not None]
        return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)


def _load(settings: TlsSettings) -> tuple[ssl.SSLContext, Validity]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if settings.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(settings.certificate, settings.key, password=_no_pass_phrase)
    if settings.client_ca is not None:
        context.load_verify_locations(settings.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context, _validity(Path(settings.certificate).read_bytes())


def _validity(chain: bytes) -> Validity:
    """Of PEM that OpenSSL has taken. Raises ssl.SSLError where a certificate behind the first is none."""
    from cryptography import x509  # not at import: most routers have no certificate

    try:
        found = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        raise ssl.SSLError(f"the certificate's file cannot be read: {error}") from None
    return Validity(
        begins=max(each.not_valid_before_utc.timestamp() for each in found),
        ends=min(each.not_valid_after_utc.timestamp() for each in found),
    )


def _no_pass_phrase() -> str:
    """Asked for when the key has one: OpenSSL would else ask the terminal, and a server would hang."""
    raise ssl.SSLError("the key has a pass phrase")
