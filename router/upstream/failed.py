"""Why an exchange with an endpoint did not go well, in our own words: no address, path or library's text in them."""

import os
import socket
import ssl


class Failed(Exception):
    """The exchange cannot go on. `is_silent`: nothing at all of an answer had come."""

    def __init__(self, detail: str, *, is_silent: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_silent = is_silent


class ConnectTimeout(Failed):
    """Nobody took the connection in time."""

    def __init__(self) -> None:
        super().__init__("connecting took too long")


def of_connecting(error: OSError) -> Failed:
    """Why there is no connection."""
    if isinstance(error, TimeoutError):
        return ConnectTimeout()
    if isinstance(error, socket.gaierror):
        return Failed("the host name does not resolve")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed("the TLS certificate is not valid")
    if isinstance(error, ssl.SSLError):
        return Failed("the TLS handshake failed")
    return Failed(f"cannot connect: {_reason(error)}")


def of_losing(error: OSError) -> str:
    """Why a connection has ended."""
    return f"the connection was lost: {_reason(error)}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else "unknown reason"
