"""Fresh cases for each thing the pocket model can do, with a judge for each answer.

A case is a request body of the OpenAI chat API (`messages`, and `tools`, `response_format` or `tool_choice` where
the task has them) and a function that says whether an answer is right. Needs Pillow, nothing else, so that any
test can ask any server. Seeds of cases never meet those of training, which are strings of another form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from serving.pocket.chat import Chat, to_openai
from serving.pocket.checks import Check, call_is, ends_in, fields_are, is_text, says_only
from serving.pocket.draw import draw, random_scene
from serving.pocket.tasks import pairs, pictures, recall, talk, tools
from serving.pocket.tasks.exchange import Exchange, Style, chat_of, random_style
from serving.pocket.tasks.records import OPENINGS, person, record, schema_of
from serving.pocket.words import COLOURS, SHAPES, SPOTS


@dataclass(frozen=True, slots=True)
class Case:
    """One question to ask.

    `body` lacks only `model` and sampling settings (ask at temperature 0). `is_right` takes the `message` of the
    answer's first choice as a mapping. `chat` is the conversation with the reference answer as its last message.
    """

    task: str
    body: dict[str, Any]
    is_right: Check
    chat: Chat
    reference: dict[str, Any] = field(repr=False)


def cases(task: str, seed: int, count: int) -> Iterator[Case]:
    """`count` cases of a task (one of `TASKS`); the same seed gives the same cases.

    Raises:
        ValueError: the task is unknown.
    """
    if task not in _MAKERS:
        raise ValueError(f"task: {task!r} is none of {', '.join(TASKS)}")
    rng = Random(f"cases {task} {seed}")
    for _ in range(count):
        chat, check, extra = _MAKERS[task](rng)
        question = Chat(chat.messages[:-1], chat.tools)
        reference = to_openai(Chat(chat.messages[-1:]))["messages"][0]
        yield Case(task, {**to_openai(question), **extra}, check, chat, reference)


_Made = tuple[Chat, Check, dict[str, Any]]


def _about_picture(topic: str) -> Callable[[Random], _Made]:
    def make(rng: Random) -> _Made:
        scene = random_scene(rng, count=1 if topic == "position" else None)
        exchange = pictures.with_picture(pictures.ask(topic, scene, rng), draw(scene, rng))
        checks = {
            "colour": says_only(scene.colour, COLOURS),
            "shape": says_only(scene.shape, SHAPES, plurals=SHAPES),
            "number": says_only(str(scene.count), "1234"),
            "position": says_only(scene.spot, SPOTS),
            "describe": is_text(exchange.answer),
        }
        return chat_of([exchange]), checks[topic], {}

    return make


def _picture_record(form: str) -> Callable[[Random], _Made]:
    def make(rng: Random) -> _Made:
        scene = random_scene(rng)
        fields = pictures.fields_of(scene, rng)
        exchange = pictures.with_picture(record(form, "picture", fields, "", rng), draw(scene, rng))
        return chat_of([exchange]), fields_are(form, "picture", fields), _response_format(form, fields)

    return make


def _text_record(form: str) -> Callable[[Random], _Made]:
    def make(rng: Random) -> _Made:
        sentence, fields = person(rng, OPENINGS[1])
        exchange = record(form, "person", fields, sentence, rng)
        return chat_of([exchange]), fields_are(form, "person", fields), _response_format(form, fields)

    return make


def _response_format(form: str, fields: list[tuple[str, str | int]]) -> dict[str, Any]:
    if form != "json":
        return {}
    schema = {"name": "answer", "schema": schema_of(fields), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _two_pictures(rng: Random) -> _Made:
    topic = rng.choice(pairs.PAIR_TOPICS)
    first, second = pairs.random_pair(topic, rng)
    exchange = pairs.ask_pair(topic, first, second, rng)
    shown = pictures.with_picture(exchange, draw(first, rng), draw(second, rng))
    return chat_of([shown]), is_text(exchange.answer), {}


def _follow_up(rng: Random) -> _Made:
    scene = random_scene(rng)
    first, second = rng.sample(("colour", "shape", "number"), 2)
    turns = [pictures.with_picture(pictures.ask(first, scene, rng), draw(scene, rng))]
    if rng.random() < 0.5:
        turns.append(talk.distraction(rng))
    asked = pictures.ask(second, scene, rng)
    return chat_of([*turns, asked]), is_text(asked.answer), {}


def _recall(rng: Random) -> _Made:
    kinds = rng.sample(recall.KINDS, rng.randint(1, 3))
    facts = [recall.random_fact(kind, rng) for kind in kinds]
    wanted = facts[0]
    turns = [recall.tell(fact, rng) for fact in facts]
    turns += [talk.distraction(rng) for _ in range(max(2, rng.randint(1, 3)) - len(facts) + 1)]
    asked = recall.ask_back(wanted, rng)
    return chat_of([*turns, asked]), ends_in(wanted.value), {}


def _system_prompt(rng: Random) -> _Made:
    system, style = random_style(rng, colour=True)
    exchange = _styled_question(style, rng)
    return chat_of([exchange], system=system, style=style), is_text(style.applied(exchange)), {}


def _styled_question(style: Style, rng: Random) -> Exchange:
    if rng.random() < 0.4:
        return talk.known_colour(rng)
    scene = random_scene(rng)
    topic = "colour" if style.language else rng.choice(("colour", "shape"))
    return pictures.with_picture(pictures.ask(topic, scene, rng), draw(scene, rng))


def _sum(rng: Random) -> _Made:
    exchange = talk.sum_of_two(rng)
    return chat_of([exchange]), ends_in(exchange.short), {}


def _puzzle(rng: Random) -> _Made:
    exchange = talk.puzzle(rng)
    return chat_of([exchange]), ends_in(exchange.answer.rstrip(".").rsplit(" ", 1)[1]), {}


def _call_a_tool(rng: Random) -> _Made:
    chat, wish = tools.call_chat(rng)
    return chat, call_is(wish.name, wish.arguments), {}


def _must_call_a_tool(rng: Random) -> _Made:
    chat, wish = tools.call_chat(rng)
    return chat, call_is(wish.name, wish.arguments), {"tool_choice": "required"}


def _tool_result(rng: Random) -> _Made:
    chat, wish = tools.result_chat(rng)
    return chat, is_text(wish.answer), {}


def _no_tool(rng: Random) -> _Made:
    chat = tools.idle_chat(rng)
    return chat, is_text(chat.messages[-1].text), {}


_MAKERS: dict[str, Callable[[Random], _Made]] = {
    "colour": _about_picture("colour"),
    "shape": _about_picture("shape"),
    "number": _about_picture("number"),
    "position": _about_picture("position"),
    "describe": _about_picture("describe"),
    "two_pictures": _two_pictures,
    "follow_up": _follow_up,
    "recall": _recall,
    "system_prompt": _system_prompt,
    "sums": _sum,
    "puzzle": _puzzle,
    "json": _picture_record("json"),
    "xml": _picture_record("xml"),
    "yaml": _picture_record("yaml"),
    "json_text": _text_record("json"),
    "tools": _call_a_tool,
    "tools_required": _must_call_a_tool,
    "tool_result": _tool_result,
    "no_tool": _no_tool,
}
TASKS = tuple(_MAKERS)
