"""Bringing a file takes patience: what breaks is tried again with growing pauses, for as long as something still
arrives, and whoever watches is told how far it is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from deploy.chart.fetch import Broken, Open, fetch, part_of
from deploy.chart.hub import File
from deploy.problem import Problem

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Patience:
    """How long failures are borne."""

    tries: int = 10
    """Failures in a row, nothing having arrived in between, after which it is given up; the job makes another pod."""
    first_pause_s: float = 1.0
    """Before the second try; each further one is twice as long."""
    longest_pause_s: float = 60.0
    """A hub that is overloaded is not helped by more."""
    timeout_s: float = 60.0
    """For a connection, and for each piece that is read."""
    tell_every_s: float = 10.0
    """Between two lines about one file."""


@dataclass(frozen=True, slots=True)
class World:
    """The network, time and chance."""

    open_url: Open
    patience: Patience = Patience()
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Random = field(default_factory=Random)
    tell: Callable[[str], None] = lambda line: print(line, flush=True)


class Tries:
    """Counts failures in a row, and pauses after each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._failures = 0

    def failed(self, broken: Broken, *, has_moved: bool) -> None:
        """Pause. Raises Problem: it was the last."""
        patience = self._world.patience
        self._failures = 1 if has_moved else self._failures + 1
        if self._failures >= patience.tries:
            raise Problem(f"{broken}; given up after {self._failures} tries")
        pause_s = min(patience.longest_pause_s, patience.first_pause_s * 2 ** (self._failures - 1))
        pause_s *= 0.5 + self._world.random.random() / 2
        self._world.tell(f"{broken}; again in {pause_s:.1f} s")
        self._world.sleep(pause_s)


def persist(file: File, url: str, folder: Path, world: World) -> None:
    """Bring a file, however often it breaks. Raises Problem."""
    tries, part = Tries(world), part_of(file, folder)
    while True:
        before = size_of(part)
        try:
            fetch(file, url, folder, world.open_url, Progress(file, before, world))
            world.tell(f"{file.name}: whole, {gib(file.size)}")
            return
        except Broken as broken:
            tries.failed(broken, has_moved=size_of(part) > before)


class Progress:
    """Tells how far a file is, now and then."""

    def __init__(self, file: File, before: int, world: World) -> None:
        self._file, self._before, self._world = file, before, world
        self._start = self._told = world.clock()
        if before:
            world.tell(f"{file.name}: going on at {gib(before)} of {gib(file.size)}")

    def __call__(self, there: int) -> None:
        now = self._world.clock()
        if now - self._told < self._world.patience.tell_every_s:
            return
        self._told = now
        speed = max(there - self._before, 1) / max(now - self._start, 1e-3)
        left_min = (self._file.size - there) / speed / 60
        self._world.tell(
            f"{self._file.name}: {gib(there)} of {gib(self._file.size)}, {100 * there // self._file.size} %,"
            f" {speed / 1024**2:.0f} MiB/s, {left_min:.0f} min left"
        )


def size_of(path: Path) -> int:
    """Bytes; 0: there is no such file."""
    return path.stat().st_size if path.exists() else 0


def gib(size: int) -> str:
    """As people read it."""
    return f"{size / GIB:.2f} GiB" if size >= GIB / 100 else f"{size:,} bytes"
