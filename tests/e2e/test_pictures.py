"""Pictures together with text: sent whole, cached, several in one request."""

from random import Random
from typing import Any

import httpx

from router.protocol.tokens import image_tokens
from serving.pocket.chat import data_url
from serving.pocket.draw import Scene, draw
from tests.e2e.asking import Asker
from tests.e2e.fleet import Fleet


def about(scene: Scene, question: str, *, width: int = 168, height: int = 112) -> list[dict[str, Any]]:
    picture = draw(scene, Random(4)).resize((width, height))
    return [{"type": "image_url", "image_url": {"url": data_url(picture)}}, {"type": "text", "text": question}]


SCENE = Scene(colour="red", shape="star", count=3, spot="", width=168, height=112)


def test_without_its_picture_a_question_has_another_answer(ask: Asker) -> None:
    seen = ask.text(messages=[{"role": "user", "content": about(SCENE, "Describe the picture.")}])
    assert seen == "There are 3 red stars."
    blind = {ask.text("Describe the picture.") for _ in range(2)}
    assert seen not in blind


def test_the_same_picture_asked_about_again_is_cached(ask: Asker, fleet: Fleet) -> None:
    messages = [{"role": "user", "content": about(SCENE, "Describe the picture.", width=700, height=700)}]
    cached = [
        ask.ask(messages=messages, max_tokens=1)["usage"]["prompt_tokens_details"]["cached_tokens"]
        for _ in range(fleet.size + 1)  # one of the engines must see it twice
    ]
    assert cached[0] == 0
    assert max(cached) > 500


def test_the_routers_count_of_a_pictures_tokens_is_the_engines(fleet: Fleet, engine_url: str) -> None:
    rng = Random(11)
    model = fleet.model
    with httpx.Client(base_url=engine_url, timeout=60) as http:

        def prompt_tokens(content: list[dict[str, Any]]) -> int:
            body = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": content}]}
            return int(http.post("/v1/chat/completions", json=body).json()["usage"]["prompt_tokens"])

        text = prompt_tokens([{"type": "text", "text": "What is it?"}])
        sizes = [(28, 28), (29, 27), *((rng.randint(10, 600), rng.randint(10, 600)) for _ in range(12))]
        for width, height in sizes:
            found = prompt_tokens(about(SCENE, "What is it?", width=width, height=height))
            assert (width, height, found - text) == (width, height, image_tokens(width, height))
