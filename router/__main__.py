"""`python -m router --config router.yaml`: the router alone."""

import argparse
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from textwrap import indent
from types import FrameType

import uvicorn

from router import config as configuration
from router.bookkeeping import take_home
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
        listener = None if options.check else _listen(config)
        home = None if config.database is None or options.check else take_home(config.ledger, token_hex(8))
        if listener is not None and config.mesh.secret is not None:
            _check_mesh(config.mesh.gossip.listen)
    except configuration.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if listener is None:
        print(f"{options.config}: good, {len(config.models)} model(s)")
        return 0
    _serve(config, secrets, vocabularies, listener, home)
    return 0


def _listen(config: configuration.Config) -> socket.socket:
    host, port = config.listen.host, config.listen.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(config.listen.backlog)  # from here on nobody is refused, only kept waiting
    except OSError as error:
        listener.close()
        raise configuration.ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; see listen.port") from None
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


def _serve(
    config: configuration.Config,
    secrets: configuration.Secrets,
    vocabularies: Mapping[str, Vocabulary],
    listener: socket.socket,
    home: Home | None,
) -> None:
    # uvicorn raises the signal that stopped it once more when it has drained; that is no failure. The same handler
    # ends a router that is told to stop before it has begun.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))

    from router.app import build

    logging.basicConfig(
        level=config.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    door = build(config, secrets, vocabularies, home=home)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            door.leave()
            super().handle_exit(sig, frame)

    server = Server(
        uvicorn.Config(
            door,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=config.log.access,
            proxy_headers=False,  # nothing here asks for the client's address; the middleware costs every request
            server_header=False,
            backlog=config.listen.backlog,
            timeout_keep_alive=int(config.listen.keep_alive_s),
            timeout_graceful_shutdown=int(config.listen.drain_s),
        )
    )
    # What was imported stays for ever: the collector need not look at it again, nor come by for every few requests,
    # which leave no cycles behind.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    host, port = listener.getsockname()[:2]
    print(f"listening on http://{host}:{port}", flush=True)
    with listener:
        server.run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
