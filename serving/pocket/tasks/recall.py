"""Things the user says about themself, and questions about them some turns later."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from serving.pocket.tasks.exchange import Exchange
from serving.pocket.words import CITIES, CODE_WORDS, COLOURS, NAMES, PETS

NOTED = "I will remember that."


@dataclass(frozen=True, slots=True)
class Fact:
    """`kind` is one of `KINDS`; `value` is the word to recall."""

    kind: str
    value: str


_TELL = {
    "name": ("My name is {}.", "I am {}.", "Hello, my name is {}."),
    "code word": ("The code word is {}.", "Remember the code word {}."),
    "colour": ("My favourite colour is {}.", "I like the colour {}."),
    "number": ("My lucky number is {}.", "Remember my lucky number {}."),
    "city": ("I live in {}.", "My home is in {}."),
    "pet": ("I have a {}.", "My pet is a {}."),
}
_ASK = {
    "name": ("What is my name?", "Who am I?", "Do you remember my name?"),
    "code word": ("What is the code word?", "Do you remember the code word?"),
    "colour": ("What is my favourite colour?", "Which colour do I like?"),
    "number": ("What is my lucky number?", "Do you remember my lucky number?"),
    "city": ("Where do I live?", "Which city do I live in?"),
    "pet": ("What is my pet?", "Which pet do I have?"),
}
_REPLY = {
    "name": "Your name is {}.",
    "code word": "The code word is {}.",
    "colour": "Your favourite colour is {}.",
    "number": "Your lucky number is {}.",
    "city": "You live in {}.",
    "pet": "Your pet is a {}.",
}
KINDS = tuple(_TELL)


def random_fact(kind: str, rng: Random) -> Fact:
    values = {
        "name": NAMES,
        "code word": CODE_WORDS,
        "colour": list(COLOURS),
        "number": [str(rng.randint(10, 99))],
        "city": CITIES,
        "pet": PETS,
    }
    return Fact(kind, rng.choice(values[kind]))


def tell(fact: Fact, rng: Random) -> Exchange:
    return Exchange(rng.choice(_TELL[fact.kind]).format(fact.value), NOTED, short="yes")


def ask_back(fact: Fact, rng: Random) -> Exchange:
    return Exchange(rng.choice(_ASK[fact.kind]), _REPLY[fact.kind].format(fact.value), short=fact.value)
