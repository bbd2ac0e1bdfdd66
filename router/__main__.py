"""`python -m router --config router.yaml`: the router alone."""

import argparse
import gc
import logging
import os
import resource
import signal
import socket
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from textwrap import indent

import uvloop

from router import config as configuration
from router.bookkeeping import take_home
from router.connection_series import connection_series
from router.front.cors import open_to
from router.front.door import Door
from router.front.ports import Purpose
from router.front.serve import Listener, serve
from router.front.settings import most_connections
from router.front.tls import Certificates
from router.metrics import Metrics, Snapshot
from router.protocol.vocabulary import Vocabulary
from router.store.spool_home import Home
from router.upstream.peers import host_and_port

GC_THRESHOLD = 50_000  # new containers between collections; Python's 700 is met every few requests
SMALLEST = """\
keys:
  - name: me
    secret: {env: TRAMONTANE_API_KEY}
models:
  - id: mistralai/mistral-small-3.1-24b-instruct
    context_length: 131072
    input_modalities: [text, image]
    pools:
      - name: local
        upstream_model: mistral-small-3.1-24b
        discovery: {kind: static, endpoints: ["http://127.0.0.1:30000"]}
"""
EPILOG = f"""\
examples:
  python -m router --config router.yaml           serve
  python -m router --config router.yaml --check   only check the file; exit 0 if it is good

A smallest configuration:

{indent(SMALLEST, "  ")}
docs/settings.md explains every key. SIGTERM stops taking requests, lets running streams end (listen.drain_s), exits 0.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the router until it is stopped. Returns the process's exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m router",
        description="An OpenRouter-compatible gateway to your own engines.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True, help="the YAML configuration file")
    parser.add_argument("--check", action="store_true", help="check the configuration and exit")
    options = parser.parse_args(arguments)
    try:
        config = configuration.load(options.config)
        secrets = configuration.read_secrets(config, os.environ)
        vocabularies = configuration.read_vocabularies(config)
        if options.check:
            _read_certificates(config)
            print(f"{options.config}: good, {len(config.models)} model(s)")
            return 0
        with ExitStack() as sockets:
            listeners = _listen(config, sockets)
            home = None if config.database is None else take_home(config.ledger, token_hex(8))
            if config.mesh.secret is not None:
                _check_mesh(config.mesh.gossip.listen)
            sockets.pop_all()  # from here on the server closes them
    except configuration.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _serve(config, secrets, vocabularies, listeners, home)
    return 0


def _listen(config: configuration.Config, sockets: ExitStack) -> list[Listener]:
    """Every port, listening: from here on nobody is refused, only kept waiting."""
    listen = config.listen
    certificates = _read_certificates(config)
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


def _read_certificates(config: configuration.Config) -> Certificates | None:
    if config.listen.tls is None:
        return None
    try:
        return Certificates(config.listen.tls)
    except (OSError, ssl.SSLError) as error:
        raise configuration.ConfigError(f"listen.tls: the certificate cannot be used: {error}") from None


def _bind(host: str, port: int, backlog: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise configuration.ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; see {setting}") from None
    return listener


def _check_mesh(address: str) -> None:
    """Fail here, in a sentence, and not within the server's start, in a traceback."""
    host, port = host_and_port(address)
    try:
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(found)
    except OSError as error:
        reason = error.strerror or str(error)
        raise configuration.ConfigError(f"cannot listen on {address} (UDP): {reason}; see mesh.gossip.listen") from None


def _open_files() -> int:
    """As many files as the operator allows: the soft limit is for programs that `select` (systemd's advice)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize


def _serve(
    config: configuration.Config,
    secrets: configuration.Secrets,
    vocabularies: Mapping[str, Vocabulary],
    listeners: Sequence[Listener],
    home: Home | None,
) -> None:
    # A router that is told to stop before it has begun has nothing to drain; the server takes the signals over.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))

    from router.app import build

    logging.basicConfig(
        level=config.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    door = Door(
        config.front,
        keep_alive_s=config.listen.keep_alive_s,
        most_connections=config.front.connections or most_connections(_open_files()),
        clock=time.monotonic,
    )
    metrics = Metrics()
    certificates = {listener.certificates for listener in listeners if listener.certificates is not None}
    metrics.registry.register(Snapshot(lambda: connection_series(door, certificates)))
    app = build(config, secrets, vocabularies, home=home, metrics=metrics)
    # What was imported stays for ever: the collector need not look at it again, nor come by for every few requests,
    # which leave no cycles behind.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    for listener in listeners:
        host, port = listener.socket.getsockname()[:2]
        scheme = "http" if listener.certificates is None else "https"
        what = "" if Purpose.DATA in listener.purposes else " for " + " and ".join(p.value for p in listener.purposes)
        print(f"listening on {scheme}://{host}:{port}{what}", flush=True)
    uvloop.run(
        serve(
            open_to(app, config.cors),
            listeners,
            door,
            backlog=config.listen.backlog,
            drain_s=config.listen.drain_s,
            leave_s=config.listen.leave_s,
            access_log=config.log.access,
            on_leave=app.leave,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
