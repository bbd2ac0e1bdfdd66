"""Questions about one picture: colour, shape, number, position, a description, and a record of it.

Every function returns the exchange without the picture; `with_picture` hangs it on the first of a conversation.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from PIL import Image

from serving.pocket.draw import Scene
from serving.pocket.tasks.exchange import Exchange
from serving.pocket.tasks.records import Value, record

COLOUR_QUESTIONS = (
    "What colour is it?",
    "What color is it?",
    "Which colour do you see?",
    "What colour is the shape in the picture?",
    "What color are the shapes?",
    "Tell me the colour.",
)
SHAPE_QUESTIONS = (
    "What shape is it?",
    "Which shape do you see?",
    "What shape is in the picture?",
    "Which shape is shown?",
    "Tell me the shape.",
)
NUMBER_QUESTIONS = (
    "How many shapes are there?",
    "How many shapes do you see?",
    "How many are in the picture?",
    "Count the shapes.",
    "Tell me how many there are.",
)
SPOT_QUESTIONS = ("Where is it?", "Where is the shape?", "Where in the picture is it?", "Tell me where it is.")
DESCRIBE_QUESTIONS = ("Describe the picture.", "What do you see?", "What is in the picture?")
ONE_WORD = ("Answer in one word.", "One word only.")

TOPICS = ("colour", "shape", "number", "position", "describe", "json", "xml", "yaml")


def ask(topic: str, scene: Scene, rng: Random) -> Exchange:
    """A question about `scene` on one of `TOPICS`.

    Raises:
        ValueError: the topic is unknown, or it is `position` and the scene's shape sits in no named place.
    """
    match topic:
        case "colour":
            be = "It is" if scene.count == 1 else "They are"
            return Exchange(
                rng.choice(COLOUR_QUESTIONS), f"{be} {scene.colour}.", short=scene.colour, colour=scene.colour
            )
        case "shape":
            answer = f"It is a {scene.shape}." if scene.count == 1 else f"They are {scene.noun}."
            return Exchange(rng.choice(SHAPE_QUESTIONS), answer, short=scene.shape)
        case "number":
            be = "There is" if scene.count == 1 else "There are"
            return Exchange(rng.choice(NUMBER_QUESTIONS), f"{be} {scene.count}.", short=str(scene.count))
        case "position":
            if not scene.spot:
                raise ValueError("topic: position needs a scene whose shape sits in a named place")
            place = "in the center" if scene.spot == "center" else f"at the {scene.spot}"
            return Exchange(rng.choice(SPOT_QUESTIONS), f"It is {place}.", short=scene.spot)
        case "describe":
            be = "There is" if scene.count == 1 else "There are"
            return Exchange(rng.choice(DESCRIBE_QUESTIONS), f"{be} {scene.count} {scene.colour} {scene.noun}.")
        case "json" | "xml" | "yaml":
            return record(topic, "picture", fields_of(scene, rng), "", rng)
        case _:
            raise ValueError(f"topic: {topic!r} is none of {', '.join(TOPICS)}")


def fields_of(scene: Scene, rng: Random) -> list[tuple[str, Value]]:
    """Two or three of the scene's properties under the names a prompt may use, in random order."""
    fields: list[tuple[str, Value]] = [
        (rng.choice(("colour", "color")), scene.colour),
        ("shape", scene.shape),
        (rng.choice(("count", "number")), scene.count),
    ]
    rng.shuffle(fields)
    return fields if rng.random() < 0.7 else fields[:2]


def one_word(exchange: Exchange, rng: Random) -> Exchange:
    """The same question, asking in the user's own words for one word."""
    return replace(exchange, user=f"{exchange.user} {rng.choice(ONE_WORD)}", answer=exchange.short)


def with_picture(exchange: Exchange, *pictures: Image.Image) -> Exchange:
    return replace(exchange, pictures=pictures)
