import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.canned import CannedRouter


@pytest.fixture
def canned_router() -> Iterator[CannedRouter]:
    canned = CannedRouter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            canned.asked.append((self.path, self.headers.get("Authorization"), body))
            self.send_response(canned.status)
            self.send_header("Content-Length", str(canned.declared_length or len(canned.body)))
            self.end_headers()
            self.wfile.write(canned.body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Not into the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        canned.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield canned
        server.shutdown()
        thread.join()
