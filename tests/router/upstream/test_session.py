"""Sockets towards endpoints."""

import socket

import pytest

from router.upstream.session import tcp_socket

LOOPBACK = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))


def test_small_writes_leave_at_once_and_a_vanished_host_is_found_out() -> None:
    with tcp_socket(LOOPBACK, unacknowledged_s=20.0) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert 5 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert 5 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        assert 20_000 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_a_socket_that_cannot_be_set_up_is_closed() -> None:
    with pytest.raises(ValueError, match="NaN"):  # an unclosed socket would warn, which fails the test
        tcp_socket(LOOPBACK, unacknowledged_s=float("nan"))
