import io
import json
from pathlib import Path

from PIL import Image

from deploy.cli.demo import ask_all
from deploy.cli.screen import Screen
from deploy.questions import questions
from deploy.router_client import RouterClient
from tests.deploy.canned import CannedRouter
from tests.deploy.sse import DONE, USAGE, delta, event


def answer(text: str) -> bytes:
    return delta(text, "stop") + event(choices=[], usage=USAGE) + DONE


def test_four_right_answers_are_a_success(canned_router: CannedRouter, tmp_path: Path) -> None:
    four = questions(1)
    out = io.StringIO()
    client = RouterClient(canned_router.url, "k")
    statuses = []
    for question in four:
        canned_router.body = answer(question.expected)
        statuses.append(ask_all([question], client, "m", tmp_path / "picture.png", Screen(out)))
    assert [0, 0, 0, 0] == statuses
    assert 4 == out.getvalue().count("1 of 1 answers right")


def test_one_wrong_answer_is_a_failure_that_says_what_was_expected(canned_router: CannedRouter, tmp_path: Path) -> None:
    four = questions(1)
    canned_router.body = answer(four[0].expected)
    out = io.StringIO()
    status = ask_all(four, RouterClient(canned_router.url, "k"), "m", tmp_path / "picture.png", Screen(out))
    assert 1 == status
    assert f"WRONG; expected: {four[1].expected}" in out.getvalue()
    assert out.getvalue().endswith("\n1 of 4 answers right\n")


def test_the_picture_is_kept_and_later_questions_carry_the_turns_before(
    canned_router: CannedRouter, tmp_path: Path
) -> None:
    four = questions(1)
    canned_router.body = answer("So it is.")
    picture = tmp_path / "picture.png"
    out = io.StringIO()
    ask_all(four, RouterClient(canned_router.url, "k"), "m", picture, Screen(out))
    with Image.open(picture) as kept:
        assert (140, 140) == kept.size
    assert f"picture  {picture}" in out.getvalue()
    bodies = [json.loads(body) for _, _, body in canned_router.asked]
    assert [1, 1, 3, 5] == [len(body["messages"]) for body in bodies]
    said = {"role": "assistant", "content": "So it is."}
    assert [four[1].message(), said, four[2].message(), said, four[3].message()] == bodies[3]["messages"]
    assert ["response_format" in body for body in bodies] == [False, False, False, True]
