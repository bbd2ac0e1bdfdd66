"""How many events there were lately.

Time is cut into slices, so that memory is constant and an event costs a few operations. The count covers at least the
window and at most one slice more.
"""

from collections import deque

SLICES = 10  # per window: old events leave in steps of a tenth of it


class RollingCount:
    """Count of events over the last `window_s` seconds."""

    __slots__ = ("_slice_s", "_slices", "_tick", "_total")

    def __init__(self, window_s: float) -> None:
        self._slice_s = window_s / SLICES
        self._slices = deque([0] * (SLICES + 1), maxlen=SLICES + 1)
        self._tick = 0
        self._total = 0

    def add(self, now: float) -> None:
        """Count one event at `now` (monotonic seconds)."""
        self._advance(now)
        self._slices[-1] += 1
        self._total += 1

    def total(self, now: float) -> int:
        """Events in the window that ends at `now` (monotonic seconds)."""
        self._advance(now)
        return self._total

    def clear(self) -> None:
        """Forget all events."""
        self._slices.extend([0] * (SLICES + 1))
        self._total = 0

    def _advance(self, now: float) -> None:
        tick = int(now / self._slice_s)
        passed = tick - self._tick
        if passed <= 0:
            return
        self._tick = tick
        if passed > SLICES:
            self.clear()
            return
        for _ in range(passed):
            self._total -= self._slices[0]
            self._slices.append(0)
