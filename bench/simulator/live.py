"""An engine's steps in real time: each is computed when it begins, and what it brought is shown when its time is over.

Steps follow each other without a gap while there is work, by the clock and not by when we came to look, so that a busy
machine delays tokens but does not slow the engine down. A lag of more than MAX_LAG_S is forgotten: catching up on that
would only be a burst.
"""

import asyncio
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.physics.engine import Engine, Job, JobId, Removed, Step
from bench.simulator.kv_events import Event, removed, stored
from bench.simulator.metrics import Metrics
from bench.simulator.prompt import Picture, extra_keys
from bench.simulator.stream import Stream

MAX_LAG_S = 1.0


@dataclass(slots=True)
class _Run:
    stream: Stream
    ids: "array[int]"  # the whole sequence: prompt and answer
    pictures: Sequence[Picture]
    salt: str  # of the prompt's cache
    came_at: float  # loop's seconds


class Live:
    """One engine.

    Args:
        engine: the physics.
        loop: whose clock is real time, and whose timers end the steps.
        time_scale: real seconds for one of the engine's.
        metrics: hears what happens.
        publish: hears the KV-cache events of each step; None: nobody does.
    """

    def __init__(
        self,
        engine: Engine,
        loop: asyncio.AbstractEventLoop,
        *,
        time_scale: float,
        metrics: Metrics,
        publish: Callable[[Sequence[Event]], None] | None,
    ) -> None:
        self.engine = engine
        self.lag_s = 0.0  # worst delay of a step's end so far: how far behind the machine is
        self._loop = loop
        self._scale = time_scale
        self._metrics = metrics
        self._publish = publish
        self._runs: dict[JobId, _Run] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._step: Step | None = None
        self._due = 0.0
        self._is_paused = False

    def submit(self, job: Job, stream: Stream, ids: "array[int]", pictures: Sequence[Picture], salt: str = "") -> None:
        """Take a request. Raises ValueError when it can never fit."""
        self.engine.submit(job)
        self._runs[job.id] = _Run(stream, ids, pictures, salt, self._loop.time())
        if self._step is None and not self._is_paused:
            self._begin(self._loop.time())

    def abort(self, job_id: JobId) -> None:
        """Nobody wants its tokens any more."""
        if self.engine.abort(job_id):
            self._metrics.finished("abort")
        if self._step is None:  # else its blocks may be told of at the step's end
            self._runs.pop(job_id, None)

    def pause(self) -> None:
        """Stand still."""
        self._is_paused = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        """Go on, the step under way first."""
        if self._is_paused:
            self._is_paused = False
            if self._step is not None:
                self._timer = self._loop.call_soon(self._end)  # type: ignore[assignment]  # cancelled the same way
            else:
                self._begin(self._loop.time())

    def stop(self) -> None:
        """For good. Answers under way are left as they are."""
        self.pause()
        for run in self._runs.values():
            run.stream.stop()
        self._runs.clear()

    def _begin(self, at: float) -> None:
        self._step = self.engine.step()
        if self._step is not None:
            self._due = at + self._step.duration_s * self._scale
            self._timer = self._loop.call_at(self._due, self._end)

    def _end(self) -> None:
        step, self._step, self._timer = self._step, None, None
        assert step is not None
        now = self._loop.time()
        self.lag_s = max(self.lag_s, now - self._due)
        self._show(step, now)
        if self._step is None and not self._is_paused:  # a token that was shown may have begun or stopped something
            self._begin(self._due if now - self._due < MAX_LAG_S else now)

    def _show(self, step: Step, now: float) -> None:
        runs = self._runs
        for admission in step.admitted:
            if (run := runs.get(admission.id)) is not None:
                run.stream.cached_tokens = admission.cached_tokens
        if self._publish is not None:
            self._publish(self._events(step))
        for job_id in step.first_tokens:
            if (run := runs.get(job_id)) is not None:
                self._metrics.first_token(now - run.came_at)
        self._metrics.generated += len(step.token_owners)
        for job_id in step.token_owners:
            if (run := runs.get(job_id)) is not None:
                run.stream.token()
        for job_id in step.finished:
            if (run := runs.pop(job_id, None)) is not None:
                self._metrics.finished(run.stream.finish_reason)
        if len(runs) > self.engine.running + self.engine.waiting:  # some were aborted in this step
            alive = frozenset(self.engine.jobs())
            self._runs = {job_id: run for job_id, run in runs.items() if job_id in alive}

    def _events(self, step: Step) -> list[Event]:
        events: list[Event] = []
        size = self.engine.settings.block_size
        for each in step.events:
            if isinstance(each, Removed):
                events.append(removed(each.hashes))
            elif (run := self._runs.get(each.id)) is not None:
                ids = run.ids[each.first * size : (each.first + len(each.hashes)) * size].tolist()
                extras = extra_keys(run.pictures, each.first, len(each.hashes), size, run.salt)
                events.append(stored(each.hashes, each.parent, ids, size, extras))
        return events
