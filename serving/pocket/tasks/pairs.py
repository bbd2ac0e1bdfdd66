"""Questions that need two pictures: the same colour, the same shape, which shows more, or one of the two.

The answer says first what each picture shows and then concludes, so that a small model can reason in the open.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from serving.pocket.draw import Scene, random_scene
from serving.pocket.tasks.exchange import Exchange

SAME_COLOUR = ("Are they the same colour?", "Do both pictures have the same colour?", "Is the color the same?")
SAME_SHAPE = ("Are they the same shape?", "Do both pictures show the same shape?", "Is the shape the same?")
WHICH_MORE = ("Which picture has more shapes?", "Which one shows more shapes?", "Where are more shapes?")
PAIR_TOPICS = ("same_colour", "same_shape", "more", "one_of_two")


def random_pair(topic: str, rng: Random, size: tuple[int, int] | None = None) -> tuple[Scene, Scene]:
    """Two scenes for a question on `topic`: equal in half of the cases where equality is asked for."""
    first, second = random_scene(rng, size=size), random_scene(rng, size=size)
    if topic == "same_colour" and rng.random() < 0.45:
        second = replace(second, colour=first.colour)
    if topic == "same_shape" and rng.random() < 0.42:
        second = replace(second, shape=first.shape)
    if topic == "more":
        while second.count == first.count:
            second = random_scene(rng, size=size)
    return first, second


def ask_pair(topic: str, first: Scene, second: Scene, rng: Random) -> Exchange:
    """A question about both pictures on one of `PAIR_TOPICS`; `short` is its conclusion.

    Raises:
        ValueError: the topic is unknown, or it is `more` and both show the same number.
    """
    match topic:
        case "same_colour":
            verdict = "yes" if first.colour == second.colour else "no"
            told = f"The first is {first.colour} and the second is {second.colour}, so {verdict}."
            return Exchange(rng.choice(SAME_COLOUR), told, short=verdict)
        case "same_shape":
            verdict = "yes" if first.shape == second.shape else "no"
            told = f"The first is a {first.shape} and the second is a {second.shape}, so {verdict}."
            return Exchange(rng.choice(SAME_SHAPE), told, short=verdict)
        case "more":
            if first.count == second.count:
                raise ValueError("topic: more needs two pictures with different numbers of shapes")
            verdict = "first" if first.count > second.count else "second"
            told = f"The first has {first.count} and the second has {second.count}, so the {verdict}."
            return Exchange(rng.choice(WHICH_MORE), told, short=verdict)
        case "one_of_two":
            which, scene = rng.choice((("first", first), ("second", second)))
            asked, value = rng.choice((("colour", scene.colour), ("color", scene.colour), ("shape", scene.shape)))
            article = "a " if asked == "shape" else ""
            return Exchange(f"What {asked} is the {which} picture?", f"The {which} is {article}{value}.", short=value)
        case _:
            raise ValueError(f"topic: {topic!r} is none of {', '.join(PAIR_TOPICS)}")


def told_pair(rng: Random) -> Exchange:
    """A comparison of two things told in words: teaches the conclusion at a fraction of two pictures' cost."""
    topic = rng.choice(PAIR_TOPICS[:3])
    first, second = random_pair(topic, rng)
    exchange = ask_pair(topic, first, second, rng)
    told = exchange.answer.rsplit(", so ", 1)[0]
    return replace(exchange, user=f"{told}. {exchange.user}")
