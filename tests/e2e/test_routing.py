"""Routing by prefixes in front of two real engines, whose caches the router follows by their events."""

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.e2e.fleet import Fleet

STORY = "The red circle met the blue square, and they counted from one to nine together. " * 40  # 3 kB
SOON_S = 30.0


def post(fleet: Fleet, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        fleet.base_url + "/chat/completions",
        data=json.dumps({"model": fleet.model, "temperature": 0, **body}).encode(),
        headers={**fleet.headers, "Content-Type": "application/json", "X-OpenRouter-Metadata": "enabled"},
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)


def metric(fleet: Fleet, name: str) -> list[float]:
    with urllib.request.urlopen(fleet.root_url + "/metrics", timeout=30) as response:
        text = response.read().decode()
    return [float(value) for value in re.findall(rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)]


def soon(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.05)


def story(turn: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": STORY + turn}], "max_tokens": 2}


def chosen(answer: Any) -> dict[str, Any]:
    return dict(next(each for each in answer["openrouter_metadata"]["routing"][-1]["candidates"] if each["selected"]))


def test_every_engine_tells_the_router_what_it_has_cached(fleet: Fleet) -> None:
    soon(lambda: metric(fleet, "tramontane_endpoint_cache_exact") == [1.0] * fleet.size)


def test_a_long_prompt_is_found_again_where_it_is_cached_and_the_engine_agrees(fleet: Fleet) -> None:
    first = post(fleet, story("How many?"))
    for turn in ("Which colour?", "Which shape?", "Who met?"):
        answer = post(fleet, story(turn))
        assert chosen(first)["endpoint"] == chosen(answer)["endpoint"]
        believed = chosen(answer)["cached_tokens"]
        counted = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
        assert counted > 0.7 * answer["usage"]["prompt_tokens"]
        assert abs(believed - counted) <= 2 * 128 + 0.1 * counted  # a block of the engine's, and the estimate's error


def test_the_estimate_of_a_prompts_length_is_learned(fleet: Fleet) -> None:
    for number in range(40):
        post(fleet, story(f"Question {number}?"))
    answer = post(fleet, story("And now?"))
    estimated = answer["openrouter_metadata"]["routing"][-1]["prompt_tokens"]
    counted = answer["usage"]["prompt_tokens"]
    assert abs(estimated - counted) <= 0.15 * counted


def test_nothing_is_in_flight_when_all_is_answered(fleet: Fleet) -> None:
    for name in ("tramontane_endpoint_all_queued_tokens", "tramontane_endpoint_streams"):
        soon(lambda name=name: metric(fleet, name) == [0.0] * fleet.size)  # type: ignore[misc]
