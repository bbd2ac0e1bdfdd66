"""One TCP or TLS connection to an endpoint: one exchange at a time, then given back or cut."""

import asyncio
from collections.abc import Callable
from typing import cast

from router.upstream.exchange import Exchange
from router.upstream.failed import of_losing
from router.upstream.tcp import watch_peer

JOIN_BYTES = 65_536  # up to this a request is copied together, so that it leaves in one system call


class Connection(asyncio.Protocol):
    """Made by the event loop; see `Connections`.

    Args:
        loop: the running one.
        hold_bytes: of an answer that nobody has taken yet; more pauses reading.
        unacknowledged_s: after this a host that acknowledges no packet is gone.
        on_free: called when an exchange is over and the connection can serve another.
        on_lost: called when it has ended.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        hold_bytes: int,
        unacknowledged_s: float,
        on_free: "Callable[[Connection], None]",
        on_lost: "Callable[[Connection], None]",
    ) -> None:
        self._loop = loop
        self._hold_bytes = hold_bytes
        self._unacknowledged_s = unacknowledged_s
        self._on_free = on_free
        self._on_lost = on_lost
        self._exchange: Exchange | None = None
        self.idle_since = 0.0  # the loop's seconds

    @property
    def is_usable(self) -> bool:
        return not self._transport.is_closing()

    def begin(self, head: bytes, body: bytes) -> Exchange:
        """Send a request. The exchange before it must be over."""
        assert self._exchange is None
        exchange = self._exchange = Exchange(self, self._loop, hold_bytes=self._hold_bytes)
        if len(body) <= JOIN_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        return exchange

    def over(self, exchange: Exchange) -> None:
        """The exchange needs the connection no more. Does nothing when it has had its say before."""
        if self._exchange is not exchange:
            return
        self._exchange = None
        # What is still to be sent: the endpoint answered before it had heard all.
        if exchange.is_reusable and self.is_usable and self._transport.get_write_buffer_size() == 0:
            self._on_free(self)
        else:
            self.abort()

    def abort(self) -> None:
        """End at once, without sending what is not sent yet."""
        self._transport.abort()

    def pause(self) -> None:
        if self.is_usable:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self.is_usable:
            self._transport.resume_reading()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        watch_peer(transport.get_extra_info("socket"), self._unacknowledged_s)

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            self.abort()  # it speaks although nobody has asked
        else:
            self._exchange.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._exchange is not None:
            self._exchange.lost(of_losing(exc) if isinstance(exc, OSError) else None)
        self._on_lost(self)
