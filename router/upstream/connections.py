"""Connections to endpoints: kept for the next request, and one more try when a kept one turns out to be closed.

A pooled connection can be closed by the server in the moment it is used again (uvicorn does so after 5 s of idling).
That is no fault of the endpoint, so a request that fails on a *reused* connection before the head of an answer is sent
once more, on a connection of its own. This is safe for engines: a generation changes nothing on the server, and one
whose connection is gone is aborted there, so the worst that a second sending can cost is a little prefill. On a fresh
connection the same failure is real and is not repeated: a request that crashes engines must not be sent twice.
"""

import io
import socket
from contextvars import ContextVar

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from router.upstream.session import open_session, tcp_socket
from router.upstream.settings import ClientSettings

_LARGE_BYTES = 1_048_576  # above this aiohttp warns of a body that is written at once


class _Dial:
    """Was a connection opened for the request of this task?"""

    __slots__ = ("is_fresh",)

    def __init__(self) -> None:
        self.is_fresh = False


class Connections:
    """Create inside a running event loop; `aclose` it."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        # A tracing hook of aiohttp would tell the same, but costs every request a fifth more.
        self._dial: ContextVar[_Dial] = ContextVar("dial")
        self._pooled = open_session(
            keepalive_s=settings.keepalive_s,
            read_buffer_bytes=settings.read_buffer_bytes,
            socket_factory=self._open_socket,
        )
        self._unpooled = open_session(
            keepalive_s=None,
            read_buffer_bytes=settings.read_buffer_bytes,
            socket_factory=self._open_socket,
        )

    async def post(
        self, url: URL, body: bytes, headers: CIMultiDict[str], *, connect_s: float
    ) -> aiohttp.ClientResponse:
        """Send, and return when the head of the answer is there. Raises aiohttp.ClientError, OSError."""
        timeout = aiohttp.ClientTimeout(connect=connect_s)
        dial = _Dial()
        self._dial.set(dial)
        try:
            return await self._pooled.post(
                url, data=_payload(body), headers=headers, timeout=timeout, allow_redirects=False
            )
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
            raise
        except aiohttp.ClientConnectionError:
            if dial.is_fresh:
                raise
        return await self._unpooled.post(
            url, data=_payload(body), headers=headers, timeout=timeout, allow_redirects=False
        )

    async def aclose(self) -> None:
        """Close all connections, also those still in use."""
        await self._pooled.close()
        await self._unpooled.close()

    def _open_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        self._dial.get().is_fresh = True
        return tcp_socket(address, unacknowledged_s=self._settings.unacknowledged_s)


def _payload(body: bytes) -> bytes | io.BytesIO:
    """Large bodies go in pieces, between which other requests have their turn."""
    return body if len(body) <= _LARGE_BYTES else io.BytesIO(body)
