"""The router's own addresses, taken before anything else: who cannot have them fails in a sentence."""

import os
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

from router.config import Config, ConfigError
from router.front.ports import Purpose
from router.front.serve import Listener
from router.front.tls import Certificates
from router.upstream.peers import host_and_port


def listen_at(config: Config, sockets: ExitStack) -> list[Listener]:
    """Every port, listening: from here on nobody is refused, only kept waiting."""
    listen = config.listen
    certificates = read_certificates(config)
    data = set(Purpose)
    own: list[Listener] = []
    for name, section, purpose in (
        ("metrics", listen.metrics, Purpose.METRICS),
        ("admin", listen.admin, Purpose.ADMIN),
    ):
        if section is not None:
            data.remove(purpose)
            listener = _bind(section.host, section.port, listen.backlog, f"listen.{name}.port")
            sockets.enter_context(listener)
            own.append(Listener(listener, frozenset((purpose,)), certificates if section.tls else None))
    listener = _bind(listen.host, listen.port, listen.backlog, "listen.port")
    sockets.enter_context(listener)
    return [Listener(listener, frozenset(data), certificates), *own]


def read_certificates(config: Config) -> Certificates | None:
    """Of `listen.tls`. Raises ConfigError when they cannot be used."""
    if config.listen.tls is None:
        return None
    try:
        return Certificates(config.listen.tls)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"listen.tls: the certificate cannot be used: {error}") from None


def _bind(host: str, port: int, backlog: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; see {setting}") from None
    return listener


def check_mesh(address: str) -> None:
    """Fail here, in a sentence, and not within the server's start, in a traceback."""
    host, port = host_and_port(address)
    try:
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(found)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"cannot listen on {address} (UDP): {reason}; see mesh.gossip.listen") from None


def check_paths(config: Config) -> None:
    """What a start would refuse of this machine, as far as it can be told without taking anything.

    Whether addresses are free is not looked at: a router that runs with the same file has them.

    Raises:
        ConfigError: as `listen_at` and the spool would.
    """
    read_certificates(config)
    if config.database is None:
        return
    spool = Path(config.ledger.spool.directory)
    existing = next(path for path in (spool, *spool.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise ConfigError(f"ledger.spool.directory: cannot use {spool}: {existing} is not a directory")
    if existing == spool and not os.access(spool, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"ledger.spool.directory: cannot use {spool}: Permission denied")
