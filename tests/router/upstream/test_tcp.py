"""Sockets towards endpoints."""

import socket

from router.upstream.tcp import watch_peer


def test_small_writes_leave_at_once_and_a_vanished_host_is_found_out() -> None:
    with socket.socket() as sock:
        watch_peer(sock, 20.0)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert 5 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert 5 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        assert 20_000 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
