"""The words that answers are made of: nonsense of the right length, the same for the same prompt.

Each is one token, and a text of them is cut into the same tokens again when it comes back in a later turn, so that a
conversation finds its own answers in the cache, as with a real engine.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

END_OF_ANSWER = 2  # Mistral's </s>
_SHUFFLED = 4_093  # words after which the sequence repeats: prime, so no block length divides it


@dataclass(frozen=True, slots=True)
class Word:
    """A token with its text, which needs no escaping in JSON."""

    id: int
    text: bytes


class Words:
    """An endless row of words, entered at a place that the prompt decides."""

    def __init__(self, known: Sequence[Word], seed: int) -> None:
        """`known`: what to choose from, at least one. The order comes from `seed`."""
        rng = random.Random(seed)
        self._row = tuple(rng.choices(known, k=_SHUFFLED))

    def ids(self, start: int, count: int) -> list[int]:
        """Token ids of an answer of that many tokens."""
        return [word.id for word in self.take(start, count)]

    def take(self, start: int, count: int) -> list[Word]:
        """The words of an answer of that many tokens."""
        first = start % _SHUFFLED
        turns = -(-(first + count) // _SHUFFLED)
        return list((self._row * turns)[first : first + count])
