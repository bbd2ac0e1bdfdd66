"""Runs of the fleet as values that travel to other processes, and their results as they come."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.fleet.gossip import Several
from bench.fleet.router import Policy
from bench.fleet.simulate import Fleet, simulate
from bench.fleet.tally import Promise, Result
from bench.physics.hardware import hardware
from bench.traces.find import FOLDER, GENERATED_REQUESTS, find


@dataclass(frozen=True, slots=True)
class Work:
    """One run."""

    trace: str  # a name or path, see bench.traces.find
    factor: float  # how many times as fast as recorded
    kind: str = "h200"
    tp: int = 1
    replicas: int = 8
    policy: Policy = field(default_factory=Policy)
    seed: int = 0
    chunk: int = 2048
    most_running: int = 1024
    routers: Several = field(default_factory=Several)
    promise: Promise = field(default_factory=Promise)
    paces: tuple[float, ...] = ()
    folder: Path = FOLDER
    generated: int = GENERATED_REQUESTS  # requests, where a trace is not at hand
    requests: int | None = None  # of the trace, from its beginning; None: all
    is_calibrated: bool = True  # the routers know the engines' prompt tokens per second, as `forecast` is set to

    def run(self) -> Result:
        """Raises ValueError when the trace or the hardware is not known."""
        on = hardware(self.kind, self.tp)
        policy = self.policy
        if self.is_calibrated:
            rate = on.peak_rate(self.chunk)
            policy = replace(policy, forecast=replace(policy.forecast, prefill_tokens_per_s=rate))
        trace = find(self.trace, self.folder, self.generated).at(self.factor).part(self.requests)
        fleet = Fleet(on, self.replicas, self.chunk, self.most_running, trace.block_tokens, self.routers)
        arrivals = trace.stream(self.seed)
        return simulate(fleet, arrivals, policy, seed=self.seed, promise=self.promise, paces=self.paces)


def run_all(work: Sequence[Work], processes: int | None = None) -> Iterator[tuple[Work, Result]]:
    """Each with its result, in the order given. `processes`: as many as there are cores, unless named."""
    count = min(processes or os.cpu_count() or 1, len(work))
    if count <= 1:
        for each in work:
            yield each, each.run()
        return
    with ProcessPoolExecutor(count) as pool:
        yield from zip(work, pool.map(Work.run, work), strict=True)
