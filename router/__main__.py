"""`python -m router --config router.yaml`: the router alone."""

import argparse
import gc
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
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
from router.listening import check_mesh, check_paths, listen_at
from router.metrics import Metrics, Snapshot
from router.migrate_command import migrate
from router.reload_file import ConfigFile, Reading, Unsettled
from router.store.spool_home import Home

_TRIES, _SETTLE_S = 20, 0.25  # at a start, while files change that are read: five seconds
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
  python -m router --config router.yaml --migrate only bring the database's schema up to date; exit 0 if it is

A smallest configuration:

{indent(SMALLEST, "  ")}
docs/settings.md explains every key. SIGTERM stops taking requests, lets running streams end (listen.drain_s), exits 0.
A changed file is taken over without a restart (section `reload`), at once after SIGHUP; one that cannot be is refused.
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
    parser.add_argument("--migrate", action="store_true", help="bring the database's schema up to date and exit")
    options = parser.parse_args(arguments)
    try:
        if options.migrate:
            print(migrate(configuration.load(options.config)))
            return 0
        file = ConfigFile(options.config, os.environ)
        reading = _read(file)
        config = reading.config
        if options.check:
            check_paths(config)
            print(f"{options.config}: good, {len(config.models)} model(s)")
            return 0
        with ExitStack() as sockets:
            listeners = listen_at(config, sockets)
            home = None if config.database is None else take_home(config.ledger, token_hex(8))
            if config.mesh.secret is not None:
                check_mesh(config.mesh.gossip.listen)
            sockets.pop_all()  # from here on the server closes them
    except configuration.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _serve(reading, file, listeners, home)
    return 0


def _read(file: ConfigFile) -> Reading:
    for _ in range(_TRIES):
        try:
            return file.read()
        except Unsettled:
            time.sleep(_SETTLE_S)
    raise configuration.ConfigError(f"{file.path}, or a file that it names, changes while it is read")


def _open_files() -> int:
    """As many files as the operator allows: the soft limit is for programs that `select` (systemd's advice)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize


def _serve(reading: Reading, file: ConfigFile, listeners: Sequence[Listener], home: Home | None) -> None:
    config = reading.config
    # A router that is told to stop before it has begun has nothing to drain; the server takes the signals over.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))
    early: list[int] = []  # the file was read already: who wants it read again will have that when the router lives
    signal.signal(signal.SIGHUP, lambda number, _: early.append(number))

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
    app = build(reading, file, home=home, metrics=metrics)
    signal.signal(signal.SIGHUP, lambda *_: app.reload())
    if early:
        app.reload()
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
            on_reload=app.reload,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
