"""Tells Prometheus where the engines' replicas answer: `python -m deploy.engine_targets`.

Each replica has a port of its own, which Ray chooses, and which another has after a restart; so that no file could name
them. This asks Ray's dashboard whenever Prometheus asks (its `http_sd_configs`), and keeps nothing: while the dashboard
is away the answer is 503, at which Prometheus goes on with the targets it knows.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from serving.dashboard import Dashboard

DESCRIPTION = """\
Answer Prometheus's question for targets (GET /targets) with the replicas that Ray's dashboard names. With --once: print
them, and exit with 1 if there are none.
"""
ASK_S = 5.0  # seconds for the dashboard to answer; Prometheus asks four times a minute


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    dashboard: str
    token_file: Path
    applications: tuple[str, ...]
    listen: tuple[str, int]
    once: bool

    @classmethod
    def parse(cls, argv: Sequence[str]) -> "Options":
        """Read the command line; exits with status 2 and a message if it is wrong."""
        parser = argparse.ArgumentParser(prog="python -m deploy.engine_targets", description=DESCRIPTION)
        parser.add_argument("--dashboard", required=True, metavar="URL", help="such as http://127.0.0.1:8265")
        parser.add_argument("--token-file", type=Path, required=True, metavar="FILE", help="with the cluster's token")
        parser.add_argument("--application", action="append", required=True, metavar="NAME", help="again for each")
        parser.add_argument(
            "--listen", type=_address, default=("127.0.0.1", 9092), metavar="HOST:PORT", help="(127.0.0.1:9092)"
        )
        parser.add_argument("--once", action="store_true", help="print the targets and exit")
        found = parser.parse_args(argv)
        return cls(found.dashboard.rstrip("/"), found.token_file, tuple(found.application), found.listen, found.once)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError("must be HOST:PORT")
    return host.strip("[]"), int(port)


def targets(options: Options) -> list[dict[str, object]]:
    """The replicas of each application, in the form of Prometheus's HTTP service discovery.

    Raises:
        OSError: the dashboard does not answer, or the token cannot be read or is not the right one.
        ValueError: the answer is not what Ray's dashboard says.
    """
    dashboard = Dashboard(options.dashboard, options.token_file.read_text(encoding="ascii").strip(), timeout_s=ASK_S)
    found: list[dict[str, object]] = []
    for name in options.applications:
        state = dashboard.read(name)
        if state is not None and state.replicas:
            addresses = sorted(f"{replica.host}:{replica.port}" for replica in state.replicas)
            labels = {"application": name}
            if state.route_prefix:
                labels["__metrics_path__"] = f"{state.route_prefix}/metrics"
            found.append({"targets": addresses, "labels": labels})
    return found


def handler(ask: Callable[[], list[dict[str, object]]]) -> type[BaseHTTPRequestHandler]:
    """What answers: `/targets`, and `/healthz` for who looks after this process."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0  # seconds that a connection may be silent

        def do_GET(self) -> None:
            if self.path == "/healthz":
                return self._answer(200, {"status": "alive"})
            if self.path != "/targets":
                return self._answer(404, {"error": "ask for /targets"})
            try:
                found = ask()
            except (OSError, ValueError, LookupError) as error:
                return self._answer(503, {"error": f"Ray's dashboard does not tell: {error}"})
            return self._answer(200, found)

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Four times a minute the same."""

    return Handler


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C, or print once.

    Returns:
        0; with `--once` 1 if there is no replica, or nobody tells.
    """
    import signal

    options = Options.parse(argv)
    if options.once:
        try:
            found = targets(options)
        except (OSError, ValueError, LookupError) as error:
            print(f"Ray's dashboard does not tell: {error}", file=sys.stderr)
            return 1
        print(json.dumps(found))
        return 0 if found else 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ThreadingHTTPServer(options.listen, handler(lambda: targets(options))) as server:
        server.daemon_threads = True
        host, port = server.server_address[:2]
        print(f"listening on http://{host!s}:{port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
