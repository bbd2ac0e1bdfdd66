"""Falling back, told as a caller sees it: real engines' processes fail, and the answer comes from elsewhere."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.served import KEY, configuration, pool, router, simulators

PAIR, SMALL, LARGE, DOOMED, LOST = "m/pair", "m/small", "m/large", "m/doomed", "m/lost"
CHEAP, DEAR = {"prompt": 0.001, "completion": 0.001}, {"prompt": 100.0, "completion": 100.0}  # the cheap one goes first
ASKED: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
LONG: list[Any] = [{"role": "user", "content": "blue circles and red squares " * 100}]


@dataclass(frozen=True)
class Story:
    """A router, and the door for faults of its engines: 0 is the cheap pool's, 1 the dear one's."""

    url: str
    admin: str

    def fault(self, engine: int, **fault: Any) -> None:
        answer = httpx.put(f"{self.admin}/admin/faults", params={"engine": engine}, content=json.dumps(fault))
        assert answer.is_success, answer.text

    def ask(self, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEY}", "X-OpenRouter-Metadata": "enabled"}
        body = {"messages": ASKED, "max_tokens": 8, **body}
        return httpx.post(f"{self.url}/api/v1/chat/completions", headers=headers, json=body, timeout=60)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with simulators(2) as (engines, admin), simulators(1, model="s", max_model_len=512) as ((narrow,), _):
        first, second = engines
        models = [
            {
                "id": PAIR,
                "context_length": 8192,
                "pools": [
                    pool(first, "m", name="a", provider="A", price=CHEAP),
                    pool(second, "m", name="b", provider="B", price=DEAR),
                ],
            },
            {"id": SMALL, "context_length": 512, "pools": [pool(narrow, "s", name="narrow", provider="Narrow")]},
            {"id": LARGE, "context_length": 8192, "pools": [pool(second, "m", name="wide", provider="Wide")]},
            {"id": DOOMED, "context_length": 8192, "pools": [pool(first, "m", name="d", provider="Doomed")]},
            {"id": LOST, "context_length": 8192, "pools": [pool(second, "m", name="l", provider="Lost")]},
        ]
        with router(tmp_path / "router", configuration(tmp_path, models)) as url:
            yield Story(url, admin)


def test_a_pool_that_dies_before_its_first_byte_is_invisible(story: Story) -> None:
    assert "A" == story.ask(model=PAIR).json()["provider"]
    story.fault(0, fault="reset")
    for stream in (False, True):
        answer = story.ask(model=PAIR, stream=stream)
        assert 200 == answer.status_code
        told = last_of(answer) if stream else answer.json()
        assert (PAIR, "B") == (told["model"], told["provider"])
        assert "error" not in answer.text
        metadata = told["openrouter_metadata"]
        assert "fallback" == metadata["strategy"]
        assert ["A", "B"] == [each["provider"] for each in metadata["attempts"]][-2:]
        assert 200 == metadata["attempts"][-1]["status"] != metadata["attempts"][0]["status"]


def test_an_engine_that_vanishes_is_invisible(story: Story) -> None:
    story.fault(0, fault="die")
    answer = story.ask(model=PAIR)
    assert (200, "B") == (answer.status_code, answer.json()["provider"])


def test_what_is_too_long_for_a_model_is_answered_by_the_larger_one(story: Story) -> None:
    refused = story.ask(model=SMALL, messages=LONG)
    assert 400 == refused.status_code
    assert "maximum context length is 512 tokens" in refused.json()["error"]["message"]
    answer = story.ask(models=[SMALL, LARGE], messages=LONG)
    assert 200 == answer.status_code, answer.text
    assert (LARGE, "Wide") == (answer.json()["model"], answer.json()["provider"])


def test_when_all_fail_the_last_error_is_told_with_those_before_it(story: Story) -> None:
    story.fault(0, fault="500")
    story.fault(1, fault="503", retry_after_s=1)
    answer = story.ask(models=[DOOMED, LOST])
    error = answer.json()["error"]
    assert 503 == answer.status_code == error["code"]
    assert "provider_overloaded" == error["metadata"]["error_type"]
    before = error["metadata"]["previous_errors"]
    assert before
    assert {"Doomed"} == {each["provider"] for each in before[:1]}
    assert all(isinstance(each["code"], int) for each in before)


def last_of(answer: httpx.Response) -> dict[str, Any]:
    """The last event of a stream that is one."""
    data = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert "[DONE]" == data[-1]
    last: dict[str, Any] = json.loads(data[-2])
    return last
