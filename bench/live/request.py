"""What the live measurements send: bodies with prompts of known length that share what a trace says they share."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.traces.arrival import Arrival

_BYTES_PER_TOKEN = 4  # of the simulator's tokenizer
_AROUND = 3  # control tokens of a chat with one message
_WORDS = (
    "the and for you not are but all any can had her was one our out day get has him his how man new now old see two "
    "way who boy did its let put say she too use red sea sky sun ice oak elm fir ash bee cat dog fox owl hen pig cow"
).split()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    at_s: float  # since the start, in the engines' time
    body: bytes
    prompt_tokens: int  # as expected; what the engine counted is in the answer


class Texts:
    """Texts of given names and lengths: the same name is the same text, another name another from its first bytes on.

    Args:
        salt: enters every text, so that two runs share nothing.
    """

    def __init__(self, salt: str) -> None:
        self._salt = salt
        rng = random.Random(salt)
        self._filler = " ".join(rng.choices(_WORDS, k=20_000)) + " "

    def of(self, name: object, length: int) -> str:
        """`length` bytes."""
        head = f"{self._salt} {name} "
        start = hash_of(head) % len(self._filler) // 4 * 4
        text = head + self._filler[start:]
        while len(text) < length:
            text += self._filler
        return text[:length]


def hash_of(text: str) -> int:
    """The same in every process, unlike Python's."""
    return random.Random(text).getrandbits(32)


def of_trace(arrivals: Iterable[Arrival], model: str, texts: Texts) -> Iterator[Asked]:
    """A trace's requests: one user message each, of one text per block."""
    for number, arrival in enumerate(arrivals):
        prefix = arrival.prefix
        blocks = list(zip(prefix.hashes, (0, *prefix.ends), prefix.ends, strict=False)) or [
            (-number - 1, 0, arrival.prompt_tokens)
        ]
        parts = [texts.of(name, _BYTES_PER_TOKEN * (end - start)) for name, start, end in blocks]
        # The message's control tokens take the place of some text, at the end, where nothing is shared.
        text = "".join(parts)[: max(4, _BYTES_PER_TOKEN * (arrival.prompt_tokens - _AROUND))]
        body = chat(model, [{"role": "user", "content": text}], arrival.output_tokens)
        yield Asked(arrival.at_s, body, arrival.prompt_tokens)


def chat(model: str, messages: Sequence[object], max_tokens: int) -> bytes:
    """A streamed chat completion's body."""
    fields = {"model": model, "messages": messages, "max_tokens": max_tokens, "stream": True}
    return json.dumps(fields).encode()
