"""Images are as long as the router says, to the token, on the real engine, which takes their digests too."""

import base64
import io
import json
import math
from random import Random
from typing import Any

import httpx
from PIL import Image

from router.policy.catalog import Pool
from router.protocol.limits import Limits
from router.protocol.request import Request, parse_chat
from router.protocol.tokens import image_tokens
from tests.e2e.fleet import Fleet

SIZES = 200
IMAGES = 4  # in a request: what the pocket model's engine takes
TOKENS = 3_900  # in a request: of its context of 4,096
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
TEXT = {"type": "text", "text": "What is it?"}
TIMEOUT_S = 180.0

Size = tuple[int, int]


def sizes() -> list[Size]:
    """A few that are scaled down, then sides from 1 to 900 pixels, none longer than 100 times the other."""
    rng = Random(14)
    found: list[Size] = [
        (1, 1),
        (28, 28),
        (29, 27),
        (1_540, 200),
        (1_541, 200),
        (200, 1_600),
        (2_000, 1_333),
        (900, 3_001),
    ]
    while len(found) < SIZES:
        width, height = (round(math.exp(rng.uniform(0, math.log(900)))) for _ in range(2))
        if max(width, height) <= 100 * min(width, height):
            found.append((width, height))
    return found


def requests_of(sizes: list[Size]) -> list[list[Size]]:
    """Cut into lists of as many as a request takes."""
    lists: list[list[Size]] = [[]]
    for size in sizes:
        if len(lists[-1]) == IMAGES or sum(image_tokens(*each) for each in [*lists[-1], size]) > TOKENS:
            lists.append([])
        lists[-1].append(size)
    return lists


def picture(size: Size, file_format: str) -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", size, (size[0] % 256, size[1] % 256, 90)).save(file, file_format)
    url = f"data:image/{file_format.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def test_the_router_counts_images_as_the_engine_does(fleet: Fleet, engine_url: str) -> None:
    pool = Pool("pocket", fleet.model, fleet.model)
    with httpx.Client(base_url=engine_url, timeout=TIMEOUT_S) as http:

        def ask(content: list[dict[str, Any]]) -> tuple[Request, int]:
            """What the router knows of it, and how many tokens the engine says the prompt has."""
            body = {"model": fleet.model, "max_tokens": 1, "messages": [{"role": "user", "content": content}]}
            request = parse_chat(json.dumps(body).encode(), Limits())
            sent = request.upstream_body(pool, generation_id=f"gen-{len(answers)}")
            response = http.post(request.kind.path, content=sent, headers={"content-type": "application/json"})
            assert response.status_code == 200, response.text
            return request, response.json()["usage"]["prompt_tokens"]

        answers: list[tuple[Request, int]] = []
        text = ask([TEXT])[1]
        formats = iter(FORMATS * SIZES)
        for group in requests_of(sizes()):
            answers.append(ask([*(picture(size, next(formats)) for size in group), TEXT]))
            request, tokens = answers[-1]
            assert (group, tokens - text) == (group, request.call.image_tokens)
        assert sum(len(group) for group in requests_of(sizes())) == SIZES
