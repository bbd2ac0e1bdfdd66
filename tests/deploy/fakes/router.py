"""Stands in for `python -m router --config FILE`: ready at once, with as many endpoints as it is told.

python router.py ENDPOINTS FILE
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import yaml


def main(endpoints: int, file: str) -> None:
    config = yaml.safe_load(Path(file).read_text())
    key = Path(config["accounts"]["bootstrap"]["file"]).read_text()
    status = {"pools": [{"name": "pool", "endpoints": [{}] * endpoints}]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers.get("Authorization") == f"Bearer {key}"
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(json.dumps(status).encode())

    HTTPServer((config["listen"]["host"], config["listen"]["port"]), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
