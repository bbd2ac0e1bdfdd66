"""aiohttp sessions, set up as the router needs them.

A router is not a browser: no cookies, no proxies from the environment, no decompression, no exceptions for statuses,
no limit on connections (admission decides how much is under way, not a queue inside the client) and no clocks of
aiohttp's own, because ours tell the phases of an answer apart.
"""

import socket
from collections.abc import Callable

import aiohttp
from aiohttp import AddrInfoType

Session = aiohttp.ClientSession
SocketFactory = Callable[[AddrInfoType], socket.socket]


def open_session(
    *, keepalive_s: float | None, read_buffer_bytes: int = 65_536, socket_factory: SocketFactory | None = None
) -> aiohttp.ClientSession:
    """A session; call inside a running event loop and close it.

    `keepalive_s`: how long a connection may wait in the pool for its next request; None: use each only once.
    `read_buffer_bytes`: half of what is held of an answer that is read more slowly than it comes.
    """
    if keepalive_s is None:
        connector = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=socket_factory)
    else:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=keepalive_s, socket_factory=socket_factory)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=read_buffer_bytes,
        auto_decompress=False,
        raise_for_status=False,
        trust_env=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
    )


def tcp_socket(address: AddrInfoType, *, unacknowledged_s: float) -> socket.socket:
    """A socket that finds out when the other host has vanished without a word.

    Without it a connection to a machine that lost its power stays open until a clock of ours runs out, and one whose
    peer no longer reads is never gone after it was closed with bytes still to send.
    """
    family, kind, protocol = address[0], address[1], address[2]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            seconds = max(1, round(unacknowledged_s / 4))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unacknowledged_s * 1000))
    except BaseException:
        sock.close()
        raise
    return sock
