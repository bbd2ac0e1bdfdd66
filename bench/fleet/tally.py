"""What a run of the fleet was like, counted as it goes: 12 bytes a request."""

from array import array
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """What makes a request good: both must hold. Raises ValueError when a field is out of its range."""

    first_token_s: float = 2.0  # until the first token; or, of a long prompt,
    own_factor: float = 2.0  # so many times what the prompt takes on an idle engine
    pace_s: float = 0.1  # mean seconds a token after the first

    def __post_init__(self) -> None:
        for name in ("first_token_s", "own_factor", "pace_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Result:
    """One run. Seconds, shares from 0 to 1."""

    offered: int
    good: int
    shed: int
    lost: int  # neither answered nor refused: must be 0
    span_s: float  # from the first arrival to the last
    first_token_s: tuple[float, float, float]  # of those answered: p50, p90, p99
    pace_s: tuple[float, float, float]
    mean_first_token_s: float
    hit: float  # share of answered prompts' tokens that came from a cache
    decision_s: tuple[float, float]  # CPU time: p50, p99
    good_tokens: int  # prompt and answer, of good requests
    most_waiting: int  # requests in the routers' queues at once
    index_blocks: int  # in the largest router's index at the end
    good_at_pace: dict[float, float]  # share of the offered that is good when the pace must be this

    @property
    def goodput(self) -> float:
        """Share of all offered requests."""
        return self.good / self.offered if self.offered else 0.0

    @property
    def shed_share(self) -> float:
        return self.shed / self.offered if self.offered else 0.0

    def cost(self, usd_per_hour: float) -> float:
        """USD per million tokens of good requests, for a fleet at that price; infinite when none was good."""
        usd = usd_per_hour * self.span_s / 3600
        return usd / (self.good_tokens / 1e6) if self.good_tokens else float("inf")


class Tally:
    """Counts. `rate`: prompt tokens/s of an idle engine; `paces`: other promises of pace to judge by as well."""

    def __init__(self, promise: Promise, rate: float, paces: tuple[float, ...] = ()) -> None:
        self._promise = promise
        self._per_token_s = promise.own_factor / rate
        self._paces = paces
        self._good_at = [0] * len(paces)
        self.offered = self.shed = self.answered = 0
        self._good = self._good_tokens = 0
        self._prompt_tokens = self._cached_tokens = 0
        self._first = array("f")
        self._pace = array("f")
        self._decisions = array("f")
        self._first_at = self._last_at = 0.0
        self.most_waiting = 0

    def arrived(self, at_s: float) -> None:
        if not self.offered:
            self._first_at = at_s
        self._last_at = at_s
        self.offered += 1

    def decided(self, seconds: float) -> None:
        self._decisions.append(seconds)

    def ended(self, at_s: float, first_s: float, end_s: float, prompt: int, cached: int, output: int) -> None:
        """One answer: its arrival, first token and end; its tokens."""
        self.answered += 1
        first = first_s - at_s
        pace = (end_s - first_s) / (output - 1) if output > 1 else 0.0
        self._first.append(first)
        self._pace.append(pace)
        self._prompt_tokens += prompt
        self._cached_tokens += cached
        if first <= max(self._promise.first_token_s, self._per_token_s * prompt):
            if pace <= self._promise.pace_s:
                self._good += 1
                self._good_tokens += prompt + output
            for index, wanted in enumerate(self._paces):
                self._good_at[index] += pace <= wanted

    def result(self, index_blocks: int) -> Result:
        """At the end."""
        first, pace, decisions = sorted(self._first), sorted(self._pace), sorted(self._decisions)
        return Result(
            offered=self.offered,
            good=self._good,
            shed=self.shed,
            lost=self.offered - self.shed - self.answered,
            span_s=self._last_at - self._first_at,
            first_token_s=(_at(first, 0.5), _at(first, 0.9), _at(first, 0.99)),
            pace_s=(_at(pace, 0.5), _at(pace, 0.9), _at(pace, 0.99)),
            mean_first_token_s=sum(first) / len(first) if first else 0.0,
            hit=self._cached_tokens / self._prompt_tokens if self._prompt_tokens else 0.0,
            decision_s=(_at(decisions, 0.5), _at(decisions, 0.99)),
            good_tokens=self._good_tokens,
            most_waiting=self.most_waiting,
            index_blocks=index_blocks,
            good_at_pace={
                wanted: good / max(1, self.offered) for wanted, good in zip(self._paces, self._good_at, strict=True)
            },
        )


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
