"""One question with its answer, and the ways a system prompt may change the answer.

An `Exchange` is what every task file produces; `Style` turns its answer into the one a system prompt asks for.
Rules: pure values and strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from PIL import Image

from serving.pocket.chat import Chat, Message
from serving.pocket.words import TRANSLATIONS

UPPER_PROMPTS = (
    "Answer in upper case.",
    "Write everything in capital letters.",
    "You must answer in capital letters only.",
)
WORD_PROMPTS = ("Answer with one word.", "Reply with a single word only.", "Use one-word answers.")
BOTH_PROMPTS = ("Answer with one word in capital letters.", "Reply with a single word in upper case.")
LANGUAGE_PROMPTS = ("Answer in {}.", "Reply in {}.", "Name colours in {}.")
PERSONA_PROMPTS = ("Your name is {}.", "You are {}, a helpful assistant.", "You are called {}.")
PLAIN_PROMPTS = ("You are a helpful assistant.", "Be friendly.", "You look at pictures and answer questions.")


@dataclass(frozen=True, slots=True)
class Exchange:
    """`short` is the answer in one word (or as few as can be), empty where there is none."""

    user: str
    answer: str
    short: str = ""
    colour: str = ""
    pictures: tuple[Image.Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How the system prompt wants answers. `language` speaks of colours only."""

    upper: bool = False
    word: bool = False
    language: str = ""

    def applied(self, exchange: Exchange) -> str:
        """The answer in this style.

        Raises:
            ValueError: the exchange has no answer in this style.
        """
        if self.language:
            if not exchange.colour:
                raise ValueError("exchange: only a question about a colour has an answer in another language")
            text = TRANSLATIONS[self.language][exchange.colour]
        elif self.word:
            if not exchange.short:
                raise ValueError("exchange: this question has no one-word answer")
            text = exchange.short
        else:
            text = exchange.answer
        return text.upper() if self.upper else text


PLAIN = Style()


def random_style(rng: Random, *, colour: bool) -> tuple[str, Style]:
    """A system prompt with the style it asks for; other languages only if the questions are about a `colour`."""
    kinds = ["upper", "word", "both"] + (["language", "language"] if colour else [])
    match rng.choice(kinds):
        case "upper":
            return rng.choice(UPPER_PROMPTS), Style(upper=True)
        case "word":
            return rng.choice(WORD_PROMPTS), Style(word=True)
        case "both":
            return rng.choice(BOTH_PROMPTS), Style(upper=True, word=True)
        case _:
            language = rng.choice(list(TRANSLATIONS))
            return rng.choice(LANGUAGE_PROMPTS).format(language), Style(language=language)


def chat_of(exchanges: list[Exchange], *, system: str = "", style: Style = PLAIN) -> Chat:
    """The exchanges in order as one conversation, the answers in the given style."""
    messages = [Message("system", system)] if system else []
    for exchange in exchanges:
        messages.append(Message("user", exchange.user, pictures=exchange.pictures))
        messages.append(Message("assistant", style.applied(exchange)))
    return Chat(tuple(messages))
