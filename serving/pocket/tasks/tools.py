"""Choosing a tool and its arguments, answering from its result, and leaving the tools alone.

The call's id is fixed (`CALL_ID`) where the model is to write it: engines replace it by one of their own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from serving.pocket.chat import Chat, Message, ToolCall
from serving.pocket.tasks.talk import distraction
from serving.pocket.words import CITIES, FOODS, NAMES, PHRASES, ROOMS, WEATHERS

CALL_ID = "call00001"
_ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

_PARAMETERS: dict[str, tuple[str, dict[str, str]]] = {
    "get_weather": ("Get the weather in a city.", {"city": "string"}),
    "get_time": ("Get the time in a city.", {"city": "string"}),
    "set_timer": ("Set a timer.", {"minutes": "integer"}),
    "send_message": ("Send a message to a person.", {"to": "string", "text": "string"}),
    "turn_on_light": ("Turn on the light in a room.", {"room": "string"}),
    "find_restaurant": ("Find a restaurant in a city.", {"city": "string", "food": "string"}),
    "book_table": ("Book a table for some people.", {"people": "integer"}),
}
TOOL_NAMES = tuple(_PARAMETERS)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks, the call it needs, what the tool gives back and what to say then."""

    user: str
    name: str
    arguments: dict[str, str | int]
    result: str
    answer: str


def definition(name: str) -> dict[str, Any]:
    """The tool in the OpenAI form, written out fully so that every client and engine renders it alike."""
    description, parameters = _PARAMETERS[name]
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {key: {"type": kind} for key, kind in parameters.items()},
                "required": list(parameters),
            },
        },
    }


def wish_for(name: str, rng: Random) -> Wish:
    """A wish that the tool `name` can fulfil.

    Raises:
        ValueError: there is no such tool.
    """
    match name:
        case "get_weather":
            city, weather, degrees = rng.choice(CITIES), rng.choice(WEATHERS), rng.randint(1, 35)
            user = rng.choice(("What is the weather in {}?", "How is the weather in {} today?")).format(city)
            result = json.dumps({"weather": weather, "degrees": degrees})
            return Wish(user, name, {"city": city}, result, f"It is {weather} and {degrees} degrees in {city}.")
        case "get_time":
            city, time = rng.choice(CITIES), f"{rng.randint(10, 23)}:{rng.randint(10, 59)}"
            user = rng.choice(("What time is it in {}?", "Tell me the time in {}.")).format(city)
            return Wish(user, name, {"city": city}, json.dumps({"time": time}), f"It is {time} in {city}.")
        case "set_timer":
            minutes = rng.randint(2, 60)
            user = rng.choice(("Set a timer for {} minutes.", "Wake me up in {} minutes.")).format(minutes)
            answer = f"The timer is set for {minutes} minutes."
            return Wish(user, name, {"minutes": minutes}, '{"ok": true}', answer)
        case "send_message":
            person, text = rng.choice(NAMES), rng.choice(PHRASES)
            user = rng.choice(("Send {} the message: {}", "Write to {}: {}")).format(person, text)
            return Wish(user, name, {"to": person, "text": text}, '{"ok": true}', f"The message to {person} is sent.")
        case "turn_on_light":
            room = rng.choice(ROOMS)
            user = rng.choice(("Turn on the light in the {}.", "I need light in the {}.")).format(room)
            return Wish(user, name, {"room": room}, '{"ok": true}', f"The light in the {room} is on.")
        case "find_restaurant":
            city, food, place = rng.choice(CITIES), rng.choice(FOODS), rng.choice(NAMES)
            user = rng.choice(("Where can I eat {} in {}?", "Find a restaurant with {} in {}.")).format(food, city)
            result = json.dumps({"restaurant": place})
            return Wish(user, name, {"city": city, "food": food}, result, f"You can eat {food} at {place} in {city}.")
        case "book_table":
            people = rng.randint(2, 12)
            user = rng.choice(("Book a table for {} people.", "I need a table for {}.")).format(people)
            return Wish(user, name, {"people": people}, '{"ok": true}', f"The table for {people} people is booked.")
        case _:
            raise ValueError(f"name: {name!r} is none of {', '.join(TOOL_NAMES)}")


def call_chat(rng: Random) -> tuple[Chat, Wish]:
    """Two or three tools and a wish for one of them, ending with the call."""
    names = rng.sample(TOOL_NAMES, rng.choice((2, 3)))
    wish = wish_for(rng.choice(names), rng)
    asked = Message("user", wish.user)
    called = Message("assistant", calls=(ToolCall(wish.name, wish.arguments, CALL_ID),))
    return Chat((*_before(rng), asked, called), tuple(definition(name) for name in names)), wish


def bare_call_chat(rng: Random) -> tuple[Chat, Wish]:
    """The call as an engine's grammar has it written where a call is required: a plain list, no marker and no id."""
    chat, wish = call_chat(rng)
    text = json.dumps([{"name": wish.name, "arguments": wish.arguments}], ensure_ascii=False)
    return Chat((*chat.messages[:-1], Message("assistant", text, forced='[{"')), chat.tools), wish


def result_chat(rng: Random) -> tuple[Chat, Wish]:
    """The same, going on with the tool's result and ending with the answer made from it."""
    chat, wish = call_chat(rng)
    call_id = "".join(rng.choices(_ALPHANUMERIC, k=9))
    called = Message("assistant", calls=(ToolCall(wish.name, wish.arguments, call_id),))
    told = Message("tool", wish.result, call_id=call_id)
    return Chat((*chat.messages[:-1], called, told, Message("assistant", wish.answer)), chat.tools), wish


def idle_chat(rng: Random) -> Chat:
    """Tools are there, but the question needs none of them."""
    names = rng.sample(TOOL_NAMES, rng.choice((2, 3)))
    exchange = distraction(rng)
    messages = (*_before(rng), Message("user", exchange.user), Message("assistant", exchange.answer))
    return Chat(messages, tuple(definition(name) for name in names))


def _before(rng: Random) -> tuple[Message, ...]:
    if rng.random() < 0.7:
        return ()
    if rng.random() < 0.5:
        return (Message("system", "You are a helpful assistant."),)
    exchange = distraction(rng)
    return (Message("user", exchange.user), Message("assistant", exchange.answer))
