"""One round of measurements: every figure once, on routers that were started for it."""

import subprocess
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from bench import upstream
from bench.bodies import Body
from bench.jobs import Pace, Paced, Saturate, Saturated, Stream, Streamed, Target
from bench.proc import Process
from bench.processes import ChildFailed, child, tail
from bench.quantiles import quantile
from bench.report import Figure
from bench.stack import Engine, Router, router, set_pace, slug

Result = TypeVar("Result", Saturated, Streamed, Paced)

JOB_S = 60.0  # no single measurement takes half of this
IDLE_S = 1.0  # seconds a ready router is left alone before its idle memory is read


class Failed(Exception):
    """Requests failed, so what was measured means nothing."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where measurements run."""

    folder: Path  # for logs and the router's configuration
    router_cores: Collection[int]
    other_cores: Collection[int]
    cheap: str  # address of the cheap upstream
    engine: Engine | None

    def round(self, number: int) -> Mapping[Figure, float]:
        """Measure everything once. Raises Failed or ChildFailed."""
        return {**self._under_load(number), **self._memory()}

    def _under_load(self, number: int) -> Mapping[Figure, float]:
        with router(self.folder, self.router_cores, self.cheap, self.engine) as it:
            small = self._saturate(it, Body.SMALL, 32)
            large = self._saturate(it, Body.LARGE, 32)
            image = self._saturate(it, Body.IMAGE, 8)
            set_pace(self.cheap, 0.05)
            token = self._stream(it, 100, ramp_s=0.5, settle_s=1.0, window_s=5.0)
            set_pace(self.cheap, 0.001)  # latencies are of short streams: let them end
            cheap = Target(self.cheap, upstream.MODEL)
            slow = self._added(it, cheap, 20.0, 8.0, number)
            fast = self._added(it, cheap, 400.0, 3.0, number)
            figures = {
                Figure.ADDED_P50: slow[0],
                Figure.ADDED_P99: slow[1],
                Figure.ADDED_400_P50: fast[0],
                Figure.ADDED_400_P99: fast[1],
                Figure.SMALL: small.cpu_s / small.requests * 1e6,
                Figure.LARGE: large.cpu_s / large.requests * 1e6,
                Figure.IMAGE: image.cpu_s / image.requests * 1e6,
                Figure.TOKEN: token.cpu_s / token.tokens * 1e6,
                Figure.RATE: small.requests / small.seconds,
            }
            if self.engine is not None:
                direct = Target(self.engine.address, self.engine.model)
                figures[Figure.ENGINE_P50], figures[Figure.ENGINE_P99] = self._added(it, direct, 20.0, 8.0, number)
            return figures

    def _memory(self) -> Mapping[Figure, float]:
        set_pace(self.cheap, 1.0)
        with router(self.folder, self.router_cores, self.cheap, self.engine) as it:
            time.sleep(IDLE_S)
            idle_mb = Process(it.pid).peak_mb()
            held = self._stream(it, 1000, ramp_s=3.0, settle_s=2.0, window_s=2.0)
            return {Figure.IDLE: idle_mb, Figure.STREAMS: held.peak_mb - held.before_mb}

    def _saturate(self, it: Router, body: Body, connections: int) -> Saturated:
        job = Saturate(it.target(slug(upstream.MODEL)), it.pid, body, connections, warm_s=0.7, window_s=3.0)
        return self._run(job, Saturated, it)

    def _stream(self, it: Router, streams: int, *, ramp_s: float, settle_s: float, window_s: float) -> Streamed:
        target = it.target(slug(upstream.MODEL))
        return self._run(Stream(target, it.pid, streams, ramp_s, settle_s, window_s), Streamed, it)

    def _added(self, it: Router, direct: Target, per_s: float, window_s: float, seed: int) -> tuple[float, float]:
        """Milliseconds that the router adds to the time to first token: differences of p50 and of p99."""
        targets = [it.target(slug(direct.model)), direct]
        job = Pace(targets, per_s, warm_s=1.0, window_s=window_s, max_tokens=4, seed=seed)
        via, alone = self._run(job, Paced, it).first_event_ms
        return quantile(via, 0.5) - quantile(alone, 0.5), quantile(via, 0.99) - quantile(alone, 0.99)

    def _run(self, job: Saturate | Stream | Pace, kind: type[Result], it: Router) -> Result:
        log = self.folder / "load.log"
        argument = msgspec.json.encode(job).decode()
        with child("bench.load", argument, cores=self.other_cores, log=log, output=True) as process:
            try:
                output, _ = process.communicate(timeout=JOB_S)
            except subprocess.TimeoutExpired:
                raise ChildFailed(f"a measurement took longer than {JOB_S:.0f} s: {argument}") from None
        if process.returncode:
            raise ChildFailed(f"the load generator failed at {argument}:\n{tail(log)}")
        result = msgspec.json.decode(output, type=kind)
        if result.failures:
            raise Failed(
                f"{len(result.failures)} requests failed at {argument}; the first: {result.failures[0]}\n"
                f"the end of the router's log:\n{tail(it.log)}"
            )
        return result
