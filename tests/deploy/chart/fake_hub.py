"""A hub on this machine: lists a repository, answers ranges, sends large files' readers to another host, and fails as
it is told to."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34
REPOSITORY = "acme/model"


@dataclass
class Hub:
    """What it holds, what it is to do, and what it was asked."""

    files: dict[str, bytes]
    token: str | None = None
    large: frozenset[str] = frozenset({"consolidated.safetensors"})
    cut_after: list[int] = field(default_factory=list)  # bytes of each next large file before the connection ends
    fail: list[int] = field(default_factory=list)  # statuses of the next requests
    corrupt: int = 0  # large files to come that are not what the listing says
    ranges: bool = True
    hold_at: str | None = None  # the Range at which it stands still until it is let go
    held: Event = field(default_factory=Event)
    let_go: Event = field(default_factory=Event)
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    tokens: dict[str, set[str | None]] = field(default_factory=dict)  # Authorization seen, by host
    url: str = ""
    elsewhere: str = ""

    def listing(self) -> dict[str, object]:
        return {"sha": COMMIT, "siblings": [self._told(name, content) for name, content in self.files.items()]}

    def _told(self, name: str, content: bytes) -> dict[str, object]:
        told: dict[str, object] = {"rfilename": name, "size": len(content)}
        told["blobId"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        if name in self.large:
            told["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return told


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Answer on two ports: the hub's own, and the one where large files lie."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(hub, self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as two:
        hub.url, hub.elsewhere = (f"http://127.0.0.1:{server.server_address[1]}" for server in (one, two))
        threads = [Thread(target=server.serve_forever, args=(0.02,)) for server in (one, two)]
        for thread in threads:
            thread.start()
        try:
            yield hub
        finally:
            one.shutdown()
            two.shutdown()
            for thread in threads:
                thread.join()


def _answer(hub: Hub, request: BaseHTTPRequestHandler) -> None:
    path, _, _ = request.path.partition("?")
    host = request.headers["Host"]
    hub.asked.append((path, request.headers["Range"]))
    hub.tokens.setdefault(host, set()).add(request.headers["Authorization"])
    if hub.fail:
        return _send(request, hub.fail.pop(0), b"no")
    is_own = hub.url.endswith(host)
    if is_own and hub.token and request.headers["Authorization"] != f"Bearer {hub.token}":
        return _send(request, 401, b"who are you")
    if path.startswith(f"/api/models/{REPOSITORY}/revision/"):
        return _send(request, 200, json.dumps(hub.listing()).encode())
    name = unquote(path.removeprefix(f"/{REPOSITORY}/resolve/{COMMIT}/").removeprefix("/store/"))
    if name not in hub.files:
        return _send(request, 404, b"nothing")
    if is_own and name in hub.large:
        request.send_response(302)
        request.send_header("Location", f"{hub.elsewhere}/store/{name}")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return None
    return _content(hub, request, name)


def _content(hub: Hub, request: BaseHTTPRequestHandler, name: str) -> None:
    content = hub.files[name]
    if name in hub.large and hub.corrupt:
        hub.corrupt -= 1
        content = bytes(len(content))
    if hub.hold_at is not None and request.headers["Range"] == hub.hold_at:
        hub.hold_at = None
        hub.held.set()
        hub.let_go.wait(60)
    start = 0
    if hub.ranges and (asked := request.headers["Range"]):
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    else:
        request.send_response(200)
    body = content[start:]
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if name in hub.large and hub.cut_after:
        body = body[: hub.cut_after.pop(0)]
        request.close_connection = True
    with contextlib.suppress(ConnectionError):  # who asked may have been killed
        request.wfile.write(body)


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
