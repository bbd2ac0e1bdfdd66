"""What `helm test` says of a deployment, against a router that answers as it was told to, over HTTP."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deploy.chart.ask_picture import Clock, main
from tests.deploy.sse import DONE, delta

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MODELS = {
    "data": [
        {"id": "acme/writer", "architecture": {"input_modalities": ["text"]}},
        {"id": "acme/seer", "architecture": {"input_modalities": ["text", "image"]}},
    ]
}
MADE = {"key": "sk-or-v1-made", "data": {"hash": "a/b"}}


@dataclass
class Router:
    """Answers by method and path, each given once and the last of them for ever; and what it was asked."""

    url: str = ""
    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    asked: list[tuple[str, str | None, Any]] = field(default_factory=list)  # method and path, Authorization, body

    def will_say(self, text: str) -> None:
        self.answers["POST /api/v1/chat/completions"] = [(200, delta(text, "stop") + DONE)]


@pytest.fixture
def router() -> Iterator[Router]:
    told = Router(answers={"GET /api/v1/models": [(200, json.dumps(MODELS).encode())]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            what = f"{self.command} {self.path}"
            told.asked.append((what, self.headers.get("Authorization"), json.loads(body) if body else None))
            answers = told.answers.get(what, [(404, b'{"error": {"message": "no such route"}}')])
            status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Not into the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


class VirtualTime:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: self.passed, self._sleep, lambda: NOW)

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds


def ask(router: Router, *more: str, time: VirtualTime | None = None) -> int:
    return main(["--base-url", router.url, "--wait", "60", *more], (time or VirtualTime()).clock())


def test_the_model_is_shown_a_red_circle(router: Router, tmp_path: Path) -> None:
    router.will_say("It is a Circle.")
    (tmp_path / "key").write_text("sk-or-v1-mine\n")

    assert 0 == ask(router, "--key-file", str(tmp_path / "key"), "--model", "acme/seer")

    ((what, key, body),) = router.asked
    assert ("POST /api/v1/chat/completions", "Bearer sk-or-v1-mine") == (what, key)
    assert "acme/seer" == body["model"]
    picture, text = body["messages"][0]["content"]
    assert {"type": "text", "text": "What shape is it?"} == text
    head, _, data = picture["image_url"]["url"].partition(",")
    assert "data:image/png;base64" == head
    shown = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    red, green, blue = shown.getpixel((56, 56))  # type: ignore[misc]
    assert red > 180 > 80 > max(green, blue)
    assert min(shown.getpixel((2, 2))) > 180  # type: ignore[arg-type, type-var]


def test_an_answer_without_what_is_expected_fails(router: Router, capsys: pytest.CaptureFixture[str]) -> None:
    router.will_say("I see no picture.")

    assert 1 == ask(router, "--model", "acme/seer")

    assert "'circle' is not in 'I see no picture.'" in capsys.readouterr().err
    assert 1 == len(router.asked)  # a wrong answer is not asked for again


def test_an_answer_that_breaks_off_is_none(router: Router) -> None:
    router.answers["POST /api/v1/chat/completions"] = [(200, delta("A circle"))]
    assert 1 == ask(router, "--model", "acme/seer")


def test_of_several_models_each_must_see_it(router: Router, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = (delta(text, "stop") + DONE for text in ("circle", "square"))
    router.answers["POST /api/v1/chat/completions"] = [(200, right), (200, wrong)]

    assert 1 == ask(router, "--model", "one", "--model", "two")

    assert "two was shown a red circle" in capsys.readouterr().err


def test_where_none_is_named_the_first_that_takes_pictures_is_asked(router: Router) -> None:
    router.will_say("circle")

    assert 0 == ask(router)

    assert ["GET /api/v1/models", "POST /api/v1/chat/completions"] == [what for what, _, _ in router.asked]
    assert "acme/seer" == router.asked[1][2]["model"]


def test_engines_that_are_starting_are_waited_for(router: Router, capsys: pytest.CaptureFixture[str]) -> None:
    router.answers["POST /api/v1/chat/completions"] = [
        (503, b'{"error": {"message": "no engine yet"}}'),
        (200, delta("circle", "stop") + DONE),
    ]

    assert 0 == ask(router, "--model", "acme/seer")

    assert "no engine yet; trying again" in capsys.readouterr().out


def test_waiting_has_an_end(router: Router, capsys: pytest.CaptureFixture[str]) -> None:
    router.answers["POST /api/v1/chat/completions"] = [(503, b'{"error": {"message": "no engine yet"}}')]
    time = VirtualTime()

    assert 1 == ask(router, "--model", "acme/seer", time=time)

    assert 60 == time.passed
    assert "the router answered 503: no engine yet" in capsys.readouterr().err


def test_with_a_database_a_key_is_made_and_deleted(router: Router, tmp_path: Path) -> None:
    router.will_say("circle")
    assert 0 == ask_with_database(router, tmp_path)
    check_key_was_lent(router)


def test_the_key_is_deleted_also_when_the_answer_is_wrong(router: Router, tmp_path: Path) -> None:
    router.will_say("square")
    assert 1 == ask_with_database(router, tmp_path)
    check_key_was_lent(router)


def test_a_key_that_stays_is_a_failure(router: Router, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    router.will_say("circle")
    router.answers["DELETE /api/v1/keys/a%2Fb"] = [(500, b'{"error": {"message": "no database"}}')]

    assert 1 == ask_with_database(router, tmp_path)

    assert "no database" in capsys.readouterr().err


def test_a_secret_that_cannot_be_read_is_named(
    router: Router, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == ask(router, "--key-file", str(tmp_path / "none"))
    assert str(tmp_path / "none") in capsys.readouterr().err


def ask_with_database(router: Router, folder: Path) -> int:
    router.answers.setdefault("POST /api/v1/keys", [(201, json.dumps(MADE).encode())])
    router.answers.setdefault("DELETE /api/v1/keys/a%2Fb", [(200, b'{"deleted": true}')])
    (folder / "management").write_text("sk-or-v1-managing")
    given = ["--admin-url", router.url, "--management-key-file", str(folder / "management"), "--model", "acme/seer"]
    return ask(router, *given)


def check_key_was_lent(router: Router) -> None:
    wanted = {"name": "helm test", "limit": 1, "expires_at": "2026-05-01T12:15:00+00:00"}
    made, asked, deleted = router.asked
    assert ("POST /api/v1/keys", "Bearer sk-or-v1-managing", wanted) == made
    assert ("POST /api/v1/chat/completions", "Bearer sk-or-v1-made") == asked[:2]
    assert ("DELETE /api/v1/keys/a%2Fb", "Bearer sk-or-v1-managing", None) == deleted
