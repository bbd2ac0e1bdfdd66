"""Chats that are like Mooncake's conversation trace, for where that is not at hand; any number of them, by a seed.

Like it in: lengths (quantiles of first prompts, of what each turn adds, of answers), one system prompt of a block that
all share, turns (39 % of the requests follow up) and the pauses between them, bursts (counts in 30 s vary 2.5 times as
much as by pure chance), and so in what an endless cache would find (37 %). It grows lazily: a million requests take the
memory of the chats that are going on.
"""

from bisect import bisect_right
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random

from bench.traces.arrival import Arrival, chain

BLOCK_TOKENS = 512
RATE = 3.4  # requests/s, all turns; the trace's mean
_SHARES = (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1)
_FIRST = (
    891, 894, 897, 905, 1092, 1756, 3914, 5264, 7417, 10775, 15871, 25561, 38538, 67212, 89869, 111800, 121000,
)  # fmt: skip
_ADDED = (1, 3, 5, 6, 7, 11, 20, 44, 154, 396, 1251, 4560, 7530, 12555, 18762, 23899, 60000)
_OUTPUT = (1, 3, 10, 24, 100, 213, 291, 350, 399, 447, 504, 597, 698, 893, 1120, 1570, 2000)
_PAUSE_S = (1, 15, 36, 48, 66, 87, 111, 147, 195, 270, 381, 552, 720, 1293, 1791, 2190, 3210)
_LONGEST = 126_000  # prompt tokens; a chat ends before it grows beyond
# chance of another turn after the first, second …; the last for all later ones
_NEXT = (0.31, 0.41, 0.46, 0.53, 0.55, 0.62, 0.70)
_TURNS = 1.63  # requests of one chat, mean
_WARM_UP_S = 600.0
_WINDOW_S = 30.0  # for which one rate of new chats holds
_BURST = 30.0  # shape of the rate's Gamma distribution, for chats that begin at 2.1/s


def generate(seed: int, rate: float = RATE) -> Iterator[Arrival]:
    """Requests without end, `rate` per second in the long run. Raises ValueError unless it is above 0."""
    if not rate > 0:
        raise ValueError(f"rate must be above 0, got {rate}")
    return _generate(Random(seed), rate / _TURNS)


def _generate(rng: Random, chats: float) -> Iterator[Arrival]:
    number, pace = 0, chats
    turns: list[tuple[float, int, int, int, tuple[int, ...]]] = []  # heap: at, chat, turn, prompt tokens, hashes
    # Chats that began before the trace does: else its start would be a lull of follow-ups.
    at_s = window_end = -_WARM_UP_S
    while True:
        if at_s >= window_end:
            window_end += _WINDOW_S
            pace = chats * rng.gammavariate(_BURST, 1 / _BURST)
        gap = rng.expovariate(pace)
        if at_s + gap > window_end:
            at_s = window_end
            begin_s = None
        else:
            at_s += gap
            begin_s = at_s
        while turns and turns[0][0] <= at_s:
            due, chat, turn, tokens, hashes = heappop(turns)
            yield from _turn(rng, turns, due, chat, turn, tokens, hashes)
        if begin_s is not None:
            number += 1
            tokens = min(_draw(rng, _FIRST), _LONGEST)
            yield from _turn(rng, turns, begin_s, number, 0, tokens, (0,))


def _turn(
    rng: Random,
    turns: list[tuple[float, int, int, int, tuple[int, ...]]],
    at_s: float,
    chat: int,
    turn: int,
    tokens: int,
    known: tuple[int, ...],
) -> Iterator[Arrival]:
    """One request, and the one after it in the heap. `known`: hashes of whole blocks it shares with the turn before."""
    blocks = -(-tokens // BLOCK_TOKENS)
    new = range(len(known), blocks)
    hashes = known + tuple((chat << 24) | (turn << 10) | index & 1023 for index in new)
    output = _draw(rng, _OUTPUT)
    if at_s >= 0:
        yield Arrival(at_s, tokens, output, chain(hashes[:blocks], tokens, BLOCK_TOKENS))
    more = tokens + output + _draw(rng, _ADDED)
    if more <= _LONGEST and rng.random() < _NEXT[min(turn, len(_NEXT) - 1)]:
        whole = hashes[: tokens // BLOCK_TOKENS]
        heappush(turns, (at_s + _draw(rng, _PAUSE_S), chat, turn + 1, more, whole or known))


def _draw(rng: Random, quantiles: tuple[int, ...]) -> int:
    at = rng.random()
    right = min(bisect_right(_SHARES, at), len(_SHARES) - 1)
    left = right - 1
    low, high = float(quantiles[left]), float(quantiles[right])
    share = (at - _SHARES[left]) / (_SHARES[right] - _SHARES[left])
    return int(low * (high / low) ** share + 0.5)
