"""Which of the stretches that routers saw of an engine's counters belong together.

Several routers read the same engine, each in epochs of its own (see `policy/meter.py`), and routers come and go. The
counters are the engine's and only grow while it lives: two stretches, of whichever routers, are of the same run of the
engine if they fit into one rising line, and together they reach from its lowest figure to its highest. A run that began
while nobody looked, and had passed the one before when somebody did, is taken for the same one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one engine's life, as far as one router or several saw it."""

    began: float  # unix seconds
    ended: float
    low: tuple[int, int]  # prompt and generation tokens at its beginning
    high: tuple[int, int]

    @property
    def tokens(self) -> tuple[int, int]:
        """By which the counters grew."""
        return self.high[0] - self.low[0], self.high[1] - self.low[1]

    def continues(self, earlier: "Span") -> bool:
        """Whether both may be of one run of the engine. `earlier` began no later."""
        if self.low == (0, 0):  # a restart, unless another router saw the same one just before
            return earlier.low == (0, 0) and earlier.ended > self.began and _is_below(self.low, earlier.high)
        after = self.began >= earlier.ended
        return _is_below(earlier.high, self.low) if after else _is_below(self.low, earlier.high)

    def joined(self, other: "Span") -> "Span":
        return replace(
            self,
            ended=max(self.ended, other.ended),
            low=(min(self.low[0], other.low[0]), min(self.low[1], other.low[1])),
            high=(max(self.high[0], other.high[0]), max(self.high[1], other.high[1])),
        )


def runs(spans: Iterable[Span]) -> list[Span]:
    """One for each life of the engine, of what several routers saw of it."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.began):
        if found and span.continues(found[-1]):
            found[-1] = found[-1].joined(span)
        else:
            found.append(span)
    return found


def _is_below(some: tuple[int, int], others: tuple[int, int]) -> bool:
    return some[0] <= others[0] and some[1] <= others[1]
