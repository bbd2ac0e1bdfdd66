"""Measuring counts right answers, shows wrong ones, and asks a server in the API's own words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest

from serving.pocket.evaluate import cases
from serving.pocket.measure import asker, right_answers


def test_reference_answers_are_all_counted_as_right() -> None:
    references = {json.dumps(case.body): case.reference for case in cases("colour", 3, 10)}
    assert (10, []) == right_answers("colour", 3, 10, lambda body: references[json.dumps(body)], together=3)


def test_a_wrong_answer_is_shown_beside_its_case() -> None:
    right, wrong = right_answers("sums", 3, 5, lambda body: {"content": "many"}, together=2)
    assert 0 == right
    assert [case.body for case in cases("sums", 3, 5)] == [case.body for case, _ in wrong]
    assert {'{"content": "many", "tool_calls": null}'} == {said for _, said in wrong}


@contextmanager
def server(status: int, answer: Mapping[str, Any], seen: list[dict[str, Any]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, "key": self.headers["Authorization"], **body})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args: object) -> None:
            """Says nothing: a test's output is for failures."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}/v1"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def test_a_question_reaches_the_server_with_model_key_and_temperature_zero() -> None:
    seen: list[dict[str, Any]] = []
    with server(200, {"choices": [{"message": {"content": "red"}}]}, seen) as url:
        message = asker(url, "pocket", "secret", seconds=10)({"messages": [{"role": "user", "content": "?"}]})
    assert {"content": "red"} == message
    assert "/v1/chat/completions" == seen[0]["path"]
    assert "Bearer secret" == seen[0]["key"]
    assert ("pocket", 0) == (seen[0]["model"], seen[0]["temperature"])


def test_a_refusal_of_the_server_is_not_taken_for_a_wrong_answer() -> None:
    with server(503, {}, []) as url, pytest.raises(HTTPError, match="503"):
        right_answers("sums", 3, 1, asker(url, "pocket", "secret", seconds=10), together=1)
