"""The engine computes what the trainer computes: the same prompt tokens, and the same logprobs on text and pictures.

This is what shows that the export, the rotary layouts, the order of merged patches and the image transform are right.
The engine works in bfloat16 and the trainer's model here in float32, so the two differ by rounding alone.
"""

from __future__ import annotations

import json
import math
import urllib.request
from typing import Any

import pytest
import torch

from serving.pocket.batch import collate
from serving.pocket.evaluate import Case, cases
from serving.pocket.export import load
from serving.pocket.render import Rendered

CASES_PER_TASK = 4
MEAN_DIFFERENCE = 0.05
"""Mean difference in nats allowed over a prompt; a wrong layout gives whole nats."""


def answered(engine_url: str, case: Case) -> dict[str, Any]:
    """The engine's answer to a case, with the prompt's token ids and logprobs."""
    with urllib.request.urlopen(f"{engine_url}/v1/models", timeout=30) as listing:
        model = json.load(listing)["data"][0]["id"]
    body = {
        "model": model,
        "messages": case.body["messages"],
        "temperature": 0,
        "max_tokens": 40,
        "prompt_logprobs": 0,
        "logprobs": True,
        "return_token_ids": True,
    }
    if "tools" in case.body:
        body["tools"] = case.body["tools"]
    request = urllib.request.Request(
        f"{engine_url}/v1/chat/completions",
        data=json.dumps(body).encode("utf-8"),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@pytest.mark.parametrize(
    "task", ["sums", "recall", "system_prompt", "colour", "number", "two_pictures", "follow_up", "json", "tool_result"]
)
def test_the_engine_and_the_trainer_agree_on_every_logprob(engine_url: str, task: str) -> None:
    torch.set_num_threads(1)  # operations this small only wait for each other on two
    model, renderer = load()
    for case in cases(task, seed=21, count=CASES_PER_TASK):
        answer = answered(engine_url, case)
        prompt = renderer.prompt(case.chat)
        assert prompt.ids == answer["prompt_token_ids"]
        said = answer["choices"][0]["token_ids"]
        ids = prompt.ids + said
        batch = collate([Rendered(ids, [False] + [True] * (len(ids) - 1), prompt.pictures)])
        with torch.no_grad():
            hidden = model(batch.ids, batch.pictures).reshape(-1, model.shape.dim)[batch.sources]
            ours = torch.log_softmax(model.output(hidden), dim=-1).gather(1, batch.targets[:, None])[:, 0].tolist()
        listed = answer["prompt_logprobs"][1:]
        theirs = [entry[str(token)]["logprob"] for entry, token in zip(listed, prompt.ids[1:], strict=True)]
        theirs += [entry["logprob"] for entry in answer["choices"][0]["logprobs"]["content"]]
        differences = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
        assert math.fsum(differences) / len(differences) < MEAN_DIFFERENCE, (task, max(differences))
