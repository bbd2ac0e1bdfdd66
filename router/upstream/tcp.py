"""Socket options of connections to endpoints."""

import socket


def watch_peer(sock: socket.socket, unacknowledged_s: float) -> None:
    """Let small writes leave at once, and find out when the other host has vanished without a word.

    Without it a connection to a machine that lost its power stays open until a clock of ours runs out, and one whose
    peer no longer reads is never gone after it was closed with bytes still to send.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        seconds = max(1, round(unacknowledged_s / 4))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unacknowledged_s * 1000))
