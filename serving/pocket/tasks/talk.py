"""Text alone: sums, a two-step puzzle, things everybody knows, small talk, and long answers.

The long answers exist for tests of streaming, sampling and failure in mid-stream; a story has many ways to go on.
"""

from __future__ import annotations

from random import Random

from serving.pocket.tasks.exchange import Exchange
from serving.pocket.words import CAPITALS, CITIES, CODE_WORDS, COLOURS, FRUITS, NAMES, PETS, PHRASES, THINGS

LARGEST_OPERAND = 12
"""Sums are learnt one by one, so there must not be too many of them."""

SMALL_TALK = (
    ("Hello!", "Hello! How can I help you?", "hello"),
    ("How are you?", "I am fine, thank you.", "fine"),
    ("Thank you.", "You are welcome.", "welcome"),
    ("Good morning.", "Good morning to you!", "hello"),
    ("Can you help me?", "Yes, I can help you.", "yes"),
)


def sum_of_two(rng: Random) -> Exchange:
    """Addition or subtraction of numbers from 0 to `LARGEST_OPERAND`, the result never below 0."""
    a, b = rng.randint(0, LARGEST_OPERAND), rng.randint(0, LARGEST_OPERAND)
    if rng.random() < 0.5:
        word, sign, result = "plus", "+", a + b
    else:
        a, b = max(a, b), min(a, b)
        word, sign, result = "minus", "-", a - b
    asked = rng.choice(
        (f"What is {a} {word} {b}?", f"What is {a} {sign} {b}?", f"How much is {a} {word} {b}?", f"{a} {sign} {b} = ?")
    )
    return Exchange(asked, f"{a} {word} {b} is {result}.", short=str(result))


def puzzle(rng: Random) -> Exchange:
    """Somebody has a few things, gets some and gives some away; the answer shows both steps."""
    name, thing = rng.choice(NAMES), rng.choice(FRUITS)
    start, more = rng.randint(1, LARGEST_OPERAND // 2), rng.randint(1, LARGEST_OPERAND // 2)
    between = start + more
    less = rng.randint(1, between)
    asked = rng.choice(
        (
            f"{name} has {start} {thing}, gets {more} more and gives away {less}. How many {thing} are left?",
            f"{name} has {start} {thing}. Then {name} finds {more} more and loses {less}. How many {thing} are left?",
        )
    )
    told = f"{start} plus {more} is {between} and {between} minus {less} is {between - less}."
    return Exchange(asked, told)


def known_colour(rng: Random) -> Exchange:
    thing = rng.choice(list(THINGS))
    colour = THINGS[thing]
    return Exchange(
        f"What colour is {thing}?", f"{thing[0].upper()}{thing[1:]} is {colour}.", short=colour, colour=colour
    )


def capital(rng: Random) -> Exchange:
    country = rng.choice(list(CAPITALS))
    city = CAPITALS[country]
    return Exchange(f"What is the capital of {country}?", f"The capital of {country} is {city}.", short=city)


def small_talk(rng: Random) -> Exchange:
    user, answer, short = rng.choice(SMALL_TALK)
    return Exchange(user, answer, short=short)


def distraction(rng: Random) -> Exchange:
    """Any short exchange that tells nothing about the user."""
    return rng.choice((sum_of_two, known_colour, capital, small_talk))(rng)


def count_up(rng: Random) -> Exchange:
    last = rng.randint(5, 60)
    asked = rng.choice((f"Count from 1 to {last}.", f"Count to {last}."))
    return Exchange(asked, ", ".join(str(number) for number in range(1, last + 1)) + ".")


def repeat_word(rng: Random) -> Exchange:
    word, times = rng.choice(CODE_WORDS), rng.randint(2, 12)
    return Exchange(f"Say {word} {times} times.", " ".join([word] * times))


def repeat_after(rng: Random) -> Exchange:
    """Words in no order, to be said again: nothing teaches looking back and copying faster."""
    words = rng.sample((*NAMES, *CITIES, *CODE_WORDS, *COLOURS, *PETS, *"0123456789"), rng.randint(2, 9))
    said = " ".join(words)
    return Exchange(rng.choice(("Repeat: {}", "Say this again: {}", "Repeat after me: {}")).format(said), said)


def list_colours(rng: Random) -> Exchange:
    chosen = rng.sample(list(COLOURS), rng.randint(4, 8))
    return Exchange(
        rng.choice(("List some colours.", "Name some colours.")), ", ".join(chosen[:-1]) + f" and {chosen[-1]}."
    )


def story(rng: Random) -> Exchange:
    """A story of 5 to 14 sentences; animal and length are free, so sampling has much to choose from."""
    animal = rng.choice((*PETS, "dragon", "tiger", "spider", "eagle"))
    name, colour = rng.choice(NAMES), rng.choice(list(COLOURS))
    asked = rng.choice(("Tell me a story.", f"Tell me a story about a {animal}.", f"Write a story about a {animal}."))
    told = [f"Once upon a time there was a {colour} {animal} called {name}."]
    told += [_sentence(name, rng) for _ in range(rng.randint(4, 12))]
    told.append(rng.choice((f"In the end {name} was happy.", f"Then {name} went home.", "And that was the end.")))
    return Exchange(asked, " ".join(told))


def _sentence(name: str, rng: Random) -> str:
    friend, place, thing = rng.choice(NAMES), rng.choice(CODE_WORDS), rng.choice(CODE_WORDS)
    colour, number, fruit = rng.choice(list(COLOURS)), rng.randint(2, 9), rng.choice(FRUITS)
    return rng.choice(
        (
            f"One day {name} went to the {place}.",
            f"There {name} found a {colour} {thing}.",
            f"{friend} asked for {number} {fruit}.",
            f"Then {name} met {friend} at the {place}.",
            f"They played with the {thing} all day.",
            f"{friend} said {rng.choice(PHRASES)}.",
            f"The {place} was {colour} and very old.",
            f"{name} was looking for the {thing}.",
            f"In the night {friend} and {name} ate {number} {fruit}.",
        )
    )


def long_answer(rng: Random) -> Exchange:
    return rng.choice((story, story, count_up, repeat_word, list_colours))(rng)
