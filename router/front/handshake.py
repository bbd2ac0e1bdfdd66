"""Connections before their TLS handshake is over: counted, in a hurry, and not yet HTTP.

The event loops' own TLS servers tell nobody of a connection before its handshake is done, nor of one that fails: ten
thousand that stall would be nobody's. And they keep one context for ever. So connections are accepted here, and given
the context of the moment.
"""

import asyncio
import errno
import socket
from collections.abc import Callable

from router.front.connection import Connection
from router.front.door import Door
from router.front.refusal import Refusal
from router.front.tls import Certificates
from router.front.wheel import NOWHERE

AT_ONCE = 64  # accepted before others get their turn
PAUSE_S = 0.1  # without a file descriptor left
OUT_OF_FILES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Handshake:
    """A guest of the door that becomes a `Connection`, or ends. The event loop sees to its deadline."""

    def __init__(self, address: str | None) -> None:
        self.deadline = 0.0
        self.slot = NOWHERE
        self.address = address

    def on_deadline(self, now: float) -> None:
        """It is not in the wheel."""

    def dismiss(self) -> None:
        """It is never idle."""


class Acceptor:
    """Takes the connections of a listening socket and shakes hands with each."""

    def __init__(
        self, listener: socket.socket, door: Door, certificates: Certificates, connect: Callable[[], Connection]
    ) -> None:
        self._listener = listener
        self._door = door
        self._certificates = certificates
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    async def close(self) -> None:
        """Accept no more, and end the handshakes under way; no request has come on any of them."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                sock, peer = self._listener.accept()
            except OSError as error:
                if error.errno in OUT_OF_FILES:  # trying at once again would be a busy loop
                    self._loop.remove_reader(self._listener)
                    self._pause = self._loop.call_later(PAUSE_S, self._resume)
                if error.errno in (errno.ECONNABORTED, errno.EINTR):  # it left before it was taken
                    continue
                return
            handshake = Handshake(peer[0] if isinstance(peer, tuple) else None)
            refusal = self._door.enter(handshake)
            if refusal is not None:  # nothing can be said before the handshake, for which there is no room
                self._door.count(refusal)
                self._door.leave(handshake)
                sock.close()
                continue
            task = self._loop.create_task(self._shake_hands(sock, handshake))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _resume(self) -> None:
        self._loop.add_reader(self._listener, self._accept)

    async def _shake_hands(self, sock: socket.socket, handshake: Handshake) -> None:
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if not has_left:
                has_left = True
                self._door.leave(handshake)

        def connect() -> Connection:
            connection = self._connect()
            connection.on_made = leave  # so that it is counted once
            return connection

        try:
            sock.setblocking(False)
            await self._loop.connect_accepted_socket(
                connect,
                sock,
                ssl=self._certificates.context,
                ssl_handshake_timeout=self._certificates.settings.handshake_s,
            )
        except OSError as error:  # ssl.SSLError is one; ConnectionAbortedError is the event loops' for too slow
            is_slow = isinstance(error, ConnectionAbortedError)
            self._door.count(Refusal.SLOW_HANDSHAKE if is_slow else Refusal.BAD_HANDSHAKE)
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise
        finally:
            leave()
