"""The smallest fleet that keeps a promise: the simulation, asked again and again with more or fewer replicas.

More replicas never keep fewer requests good (but for chance), so the size is searched by doubling and halving. The
first guess comes from the traffic: its prompt tokens per second over what one replica computes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.fleet.tally import Result
from bench.fleet.work import Work
from bench.physics.hardware import hardware
from bench.traces.find import find

_BUSY = 0.7  # share of its prompt speed that a replica can use, of the first guess
_SAMPLE = 5_000  # requests that the first guess looks at


@dataclass(frozen=True, slots=True)
class Size:
    """What was found for one kind of hardware and one policy."""

    work: Work
    replicas: int | None  # the smallest fleet; None: even the largest allowed is too small
    runs: dict[int, Result]  # by replicas, all that were tried

    @property
    def result(self) -> Result:
        """Of the smallest fleet, or of the largest that was tried."""
        return self.runs[self.replicas if self.replicas is not None else max(self.runs)]


def guess(work: Work) -> int:
    """Replicas that the prompts alone would need."""
    trace = find(work.trace, work.folder, work.generated).at(work.factor).part(min(_SAMPLE, work.requests or _SAMPLE))
    tokens, last = 0, 0.0
    for arrival in trace.stream(work.seed):
        tokens += arrival.prompt_tokens
        last = arrival.at_s
    rate = hardware(work.kind, work.tp).peak_rate(work.chunk)
    return max(1, math.ceil(tokens / max(last, 1.0) / (_BUSY * rate)))


def smallest(work: Work, goodput: float, most: int, tell: Callable[[Work, Result], None]) -> Size:
    """Search from 1 to `most` replicas for the fewest with which at least `goodput` (0 to 1) of all requests is good.

    `tell` is called after each run. Raises ValueError when `most` is below 1.
    """
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    runs: dict[int, Result] = {}

    def is_enough(replicas: int) -> bool:
        if replicas not in runs:
            tried = replace(work, replicas=replicas)
            runs[replicas] = tried.run()
            tell(tried, runs[replicas])
        return runs[replicas].goodput >= goodput

    at = min(most, guess(work))
    too_few, enough = 0, most + 1
    while too_few + 1 < enough:
        if is_enough(at):
            enough = at
            at = max(too_few + 1, at // 2 if not too_few else (too_few + at) // 2)
        else:
            too_few = at
            at = min(most, 2 * at) if enough > most else (at + enough) // 2
        if too_few >= most:
            break
    found = enough if enough <= most else None
    if found is not None:  # a curve needs a point beyond
        for beside in (found + max(1, found // 8), found + max(2, found // 4)):
            is_enough(min(most, beside))
    return Size(work, found, dict(sorted(runs.items())))
