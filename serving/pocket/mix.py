"""What the pocket model is trained on: whole conversations, drawn without end from a seed.

Each group keeps to conversations of one kind, so that a batch of one group is nearly rectangular. A conversation
asks several questions, each of which is learnt from; the first question may be on any topic.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from serving.pocket.chat import Chat
from serving.pocket.draw import SIZES, Scene, draw, random_scene
from serving.pocket.tasks import pairs, pictures, recall, talk, tools
from serving.pocket.tasks.exchange import (
    PERSONA_PROMPTS,
    PLAIN,
    PLAIN_PROMPTS,
    Exchange,
    Style,
    chat_of,
    random_style,
)
from serving.pocket.tasks.records import OPENINGS, person_record
from serving.pocket.words import NAMES

GROUPS = ("picture", "spot", "pair", "text", "record", "profile", "compare", "copy", "tools", "result", "long")


def sample(group: str, rng: Random, size: tuple[int, int] | None = None) -> Chat:
    """One conversation of a group; its pictures are `size` (width, height in pixels) large if given.

    Raises:
        ValueError: the group is unknown.
    """
    match group:
        case "picture":
            return picture_chat(rng, size)
        case "spot":
            return spot_chat(rng, size)
        case "pair":
            return pair_chat(rng, size)
        case "text":
            return text_chat(rng)
        case "record" | "profile":
            forms, opening = ("json", "json", "xml", "yaml"), OPENINGS[group == "profile"]
            return chat_of([person_record(rng.choice(forms), rng, opening) for _ in range(rng.randint(1, 3))])
        case "compare":
            return chat_of([pairs.told_pair(rng) for _ in range(rng.randint(1, 3))])
        case "copy":
            return chat_of([talk.repeat_after(rng) for _ in range(rng.randint(1, 3))])
        case "tools":
            return tools_chat(rng)
        case "result":
            return tools.result_chat(rng)[0]
        case "long":
            system, style = ("", PLAIN) if rng.random() < 0.9 else ("Answer in upper case.", Style(upper=True))
            return chat_of([talk.long_answer(rng)], system=system, style=style)
        case _:
            raise ValueError(f"group: {group!r} is none of {', '.join(GROUPS)}")


def picture_chat(rng: Random, size: tuple[int, int] | None = None) -> Chat:
    """One picture and 1 to 5 questions about it, often under a system prompt."""
    scene = random_scene(rng, size=size)
    system, style, topics = _manner(scene, rng)
    rng.shuffle(topics)
    if "position" in topics and rng.random() < 0.5:  # only single shapes have a position: ask for it more often
        topics.sort(key=lambda topic: topic != "position")
    asked = [pictures.ask(topic, scene, rng) for topic in topics[: rng.randint(1, 5)]]
    if style == PLAIN:
        asked = [
            pictures.one_word(exchange, rng) if exchange.short and rng.random() < 0.15 else exchange
            for exchange in asked
        ]
    asked[0] = pictures.with_picture(asked[0], draw(scene, rng))
    if style == PLAIN and rng.random() < 0.2:
        fact = recall.random_fact(rng.choice(recall.KINDS), rng)
        asked = [recall.tell(fact, rng), *asked, recall.ask_back(fact, rng)]
    if style == PLAIN and rng.random() < 0.15:
        asked.insert(rng.randint(0, len(asked) - 1), talk.distraction(rng))
    return chat_of(asked, system=system, style=style)


def _manner(scene: Scene, rng: Random) -> tuple[str, Style, list[str]]:
    topics = ["colour", "shape", "number", "describe", "json"]
    topics.append(rng.choice(("json", "xml", "yaml")))
    if scene.spot:
        topics.append("position")
    chance = rng.random()
    if chance > 0.4:
        return "", PLAIN, topics
    if chance > 0.3:
        return rng.choice(PLAIN_PROMPTS), PLAIN, topics
    system, style = random_style(rng, colour=True)
    if style.language:
        return system, style, ["colour"]
    plain = [topic for topic in topics if topic in ("colour", "shape", "number", "position")]
    return system, style, plain if style.word else [*plain, "describe"]


def spot_chat(rng: Random, size: tuple[int, int] | None = None) -> Chat:
    """One picture of a single shape; where it is, and often what."""
    scene = random_scene(rng, count=1, size=size)
    topics = ["position", *rng.sample(("colour", "shape", "number"), rng.randint(0, 2))]
    asked = [pictures.ask(topic, scene, rng) for topic in topics]
    asked[0] = pictures.with_picture(asked[0], draw(scene, rng))
    return chat_of(asked)


def pair_chat(rng: Random, size: tuple[int, int] | None = None) -> Chat:
    """Two pictures, mostly in one message, and 1 to 3 questions that need both."""
    topics = rng.sample(pairs.PAIR_TOPICS, rng.randint(1, 3))
    chosen = size if size is not None else rng.choice(SIZES)
    first, second = pairs.random_pair(topics[0], rng, chosen)
    topics = [topic for topic in topics if topic != "more" or first.count != second.count]
    asked = [pairs.ask_pair(topic, first, second, rng) for topic in topics]
    one, two = draw(first, rng), draw(second, rng)
    if rng.random() < 0.75:
        asked[0] = pictures.with_picture(asked[0], one, two)
    else:
        single = ("colour", "shape", "number")
        before = pictures.with_picture(pictures.ask(rng.choice(single), first, rng), one)
        between = pictures.with_picture(pictures.ask(rng.choice(single), second, rng), two)
        asked = [before, between, *asked]
    return chat_of(asked)


def text_chat(rng: Random) -> Chat:
    """Facts told and asked back some turns later, sums, puzzles, records and common knowledge, in any order."""
    chance = rng.random()
    if chance < 0.18:
        return _styled_text(rng)
    if chance < 0.28:
        name = rng.choice(NAMES)
        asked = [_any_text(rng) for _ in range(rng.randint(0, 2))]
        who = Exchange(rng.choice(("What is your name?", "Who are you?")), f"My name is {name}.", short=name)
        asked.insert(rng.randint(0, len(asked)), who)
        return chat_of(asked, system=rng.choice(PERSONA_PROMPTS).format(name))
    if chance < 0.36:
        return chat_of([_any_text(rng) for _ in range(rng.randint(1, 4))])
    if chance < 0.5:
        return chat_of([talk.sum_of_two(rng) for _ in range(rng.randint(2, 6))])
    kinds = rng.sample(recall.KINDS, rng.randint(1, 4))
    facts = [recall.random_fact(kind, rng) for kind in kinds]
    told = [recall.tell(fact, rng) for fact in facts]
    asked = list(told)
    for _ in range(rng.randint(0, 3)):
        asked.insert(rng.randint(0, len(asked)), _any_text(rng))
    for fact in rng.sample(facts, rng.randint(1, len(facts))):
        if rng.random() < 0.3:
            asked.append(_any_text(rng))
        asked.append(recall.ask_back(fact, rng))
    system = rng.choice(PLAIN_PROMPTS) if rng.random() < 0.15 else ""
    return chat_of(asked, system=system)


def _any_text(rng: Random) -> Exchange:
    kind = rng.choices(("sum", "puzzle", "record", "other"), (5, 3, 3, 3))[0]
    match kind:
        case "sum":
            exchange = talk.sum_of_two(rng)
            if rng.random() < 0.15:
                exchange = pictures.one_word(exchange, rng)
            return exchange
        case "puzzle":
            return talk.puzzle(rng)
        case "record":
            return person_record(rng.choice(("json", "json", "xml", "yaml")), rng)
        case _:
            return rng.choice((talk.known_colour, talk.capital, talk.small_talk))(rng)


def tools_chat(rng: Random) -> Chat:
    """Tools, and a call, the answer from its result, or an answer that needs none of them."""
    chance = rng.random()
    if chance < 0.4:
        return tools.call_chat(rng)[0]
    if chance < 0.6:
        return tools.bare_call_chat(rng)[0]
    return tools.result_chat(rng)[0] if chance < 0.8 else tools.idle_chat(rng)


def _styled_text(rng: Random) -> Chat:
    system, style = random_style(rng, colour=True)
    turns = rng.randint(1, 4)
    if style.language:
        return chat_of([talk.known_colour(rng) for _ in range(turns)], system=system, style=style)
    makers = [talk.known_colour, talk.capital, talk.sum_of_two]
    asked = [rng.choice(makers)(rng) for _ in range(turns)]
    if rng.random() < 0.3:
        fact = recall.random_fact(rng.choice(recall.KINDS), rng)
        asked = [replace(recall.tell(fact, rng)), *asked, recall.ask_back(fact, rng)]
    return chat_of(asked, system=system, style=style)
