"""The system's errors in our words, by plain calls."""

import errno
import socket
import ssl

import pytest

from router.upstream.failed import ConnectTimeout, of_connecting, of_losing


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('10.1.2.3', 8000)"), "cannot connect: connection refused"),
        (OSError(errno.EHOSTUNREACH, "10.1.2.3"), "cannot connect: no route to host"),
        (OSError("Multiple exceptions: 10.1.2.3"), "cannot connect: unknown reason"),
        (socket.gaierror(-2, "10.1.2.3"), "the host name does not resolve"),
        (ssl.SSLCertVerificationError(1, "10.1.2.3"), "the TLS certificate is not valid"),
        (ssl.SSLError(1, "10.1.2.3"), "the TLS handshake failed"),
    ],
)
def test_why_there_is_no_connection_names_no_address(error: OSError, expected: str) -> None:
    assert expected == of_connecting(error).detail


def test_the_systems_own_time_out_is_as_good_as_ours() -> None:
    assert isinstance(of_connecting(TimeoutError(errno.ETIMEDOUT, "10.1.2.3")), ConnectTimeout)


def test_why_a_connection_was_lost_names_no_address() -> None:
    lost = ConnectionResetError(errno.ECONNRESET, "10.1.2.3")
    assert "the connection was lost: connection reset by peer" == of_losing(lost)
