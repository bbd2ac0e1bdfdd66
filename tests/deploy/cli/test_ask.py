import argparse
import base64
import json
from pathlib import Path

import pytest

from deploy.cli import ask
from deploy.cli.__main__ import main
from deploy.problem import Problem
from tests.deploy.canned import CannedRouter
from tests.deploy.sse import ANSWER, DONE


def body(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    ask.add_options(parser)
    return ask.request_body(parser.parse_args(words))


def test_a_plain_question_is_one_user_message() -> None:
    assert {"model": None, "messages": [{"role": "user", "content": "Hello!"}]} == body("Hello!")


def test_pictures_come_before_the_text_as_data_urls(tmp_path: Path) -> None:
    for name in ("one.png", "two.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{base64.b64encode(data).decode()}"}}
        for kind, data in (("png", b"one.png"), ("jpeg", b"two.jpg"))
    ]
    expected = [{"role": "user", "content": [*content, {"type": "text", "text": "Which is larger?"}]}]
    made = body("--image", str(tmp_path / "one.png"), "--image", str(tmp_path / "two.jpg"), "Which is larger?")
    assert expected == made["messages"]


def test_options_become_fields_of_the_request(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    made = body(
        "--system", "Be brief.", "--model", "m", "--max-tokens", "5", "--temperature", "0",
        "--json-schema", str(schema), "Hello!",
    )  # fmt: skip
    assert {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello!"}],
        "max_tokens": 5,
        "temperature": 0.0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}},
        },
    } == made


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--image", "missing.png", "--image .*missing.png: No such file"),
        ("--image", "notes.txt", "--image .*notes.txt: not a picture by its name"),
        ("--json-schema", "missing.json", "--json-schema .*missing.json: No such file"),
        ("--json-schema", "notes.txt", "--json-schema .*notes.txt: not JSON"),
    ],
)
def test_a_file_that_does_not_serve_is_a_problem_that_names_the_option(
    tmp_path: Path, option: str, name: str, said: str
) -> None:
    (tmp_path / "notes.txt").write_text("milk, bread")
    with pytest.raises(Problem, match=said):
        body(option, str(tmp_path / name), "Hello!")


def test_the_answer_is_printed_with_its_figures(
    canned_router: CannedRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    canned_router.body = ANSWER + DONE
    assert 0 == main(["ask", "--base-url", canned_router.url, "--api-key", "k", "--model", "m", "What is 3 + 4?"])
    said = capsys.readouterr().out
    assert said.startswith("3 plus 4 is 7.\nfirst token ")
    assert said.endswith(" · 12 + 3 tokens · $0.000002\n")


def test_without_a_model_the_first_one_listed_is_asked(
    canned_router: CannedRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAMONTANE_BASE_URL", canned_router.url)
    monkeypatch.setenv("TRAMONTANE_API_KEY", "from-the-environment")
    canned_router.body = json.dumps({"data": [{"id": "first"}, {"id": "second"}]}).encode() + b"\n"
    assert 1 == main(["ask", "Hello!"])  # the list of models is no answer to a question
    (models, authorization, _), (_, _, question) = canned_router.asked
    assert ("/api/v1/models", "Bearer from-the-environment") == (models, authorization)
    assert "first" == json.loads(question)["model"]
