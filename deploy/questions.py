"""The demo's four questions, drawn with the pocket model's own generator from a seed, and what makes an answer right.

The seed decides everything: picture, numbers, wording. Nothing here talks to anybody.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL.Image import Image

from serving.pocket.chat import data_url
from serving.pocket.draw import draw, random_scene
from serving.pocket.tasks import pictures, talk
from serving.pocket.tasks.exchange import Exchange
from serving.pocket.tasks.records import schema_of
from serving.pocket.words import SHAPES

SIZE = (140, 140)  # pixels
Value = str | int


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask, and how to tell whether the answer is right."""

    title: str
    text: str
    expected: str
    is_right: Callable[[str], bool]
    picture: Image | None = None
    schema: dict[str, object] | None = None
    goes_on: bool = False  # in the conversation of the question before; else begins a new one

    def message(self) -> dict[str, object]:
        """The question as the API wants it."""
        if self.picture is None:
            return {"role": "user", "content": self.text}
        image = {"type": "image_url", "image_url": {"url": data_url(self.picture)}}
        return {"role": "user", "content": [image, {"type": "text", "text": self.text}]}


def questions(seed: int) -> tuple[Question, ...]:
    """The four questions of a seed."""
    rng = Random(seed)
    scene = random_scene(rng, count=rng.randint(2, 4), size=SIZE)
    picture = draw(scene, rng)
    fields: list[tuple[str, Value]] = [("colour", scene.colour), ("shape", scene.shape), ("count", scene.count)]
    return (
        _plain("text", talk.sum_of_two(rng)),
        _plain("a picture", pictures.ask("shape", scene, rng), picture=picture),
        _plain("a follow-up; the picture is in the turn before", pictures.ask("colour", scene, rng), goes_on=True),
        Question(
            title="JSON by a schema, about the same picture",
            text="Describe the picture as JSON with the keys colour, shape and count.",
            expected=json.dumps(dict(fields)),
            is_right=lambda answer: _json_or_none(answer) == dict(fields),
            schema=schema_of(fields),
            goes_on=True,
        ),
    )


def _plain(title: str, exchange: Exchange, *, picture: Image | None = None, goes_on: bool = False) -> Question:
    return Question(
        title=title,
        text=exchange.user,
        expected=exchange.answer,
        is_right=lambda answer: _last_word(answer) in (exchange.short, SHAPES.get(exchange.short)),
        picture=picture,
        goes_on=goes_on,
    )


def _last_word(answer: str) -> str:
    """Where all answers of the generator say it: "They are stars.", "12 plus 7 is 19."."""
    return (answer.split() or [""])[-1].strip(".!").lower()


def _json_or_none(answer: str) -> object:
    try:
        return json.loads(answer)
    except ValueError:
        return None
