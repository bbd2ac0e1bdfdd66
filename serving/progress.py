"""Whether an engine that has work is getting on with it.

Pure: time and counts are arguments. An engine can be dead while everything around it answers: its process stopped,
its card hung, its workers waiting for each other. What it cannot do then is finish an iteration. So: work in hand
and no iteration for a while is death, however healthy the HTTP side says it is. No work in hand proves nothing
either way, and long silence before work arrives must not count against it.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """Remembers since when the engine has had work without finishing an iteration.

    Args:
        stall_s: seconds without an iteration that an engine with work may take.
    """

    stall_s: float
    _iterations: int = field(default=-1, init=False)
    _still_since: float | None = field(default=None, init=False)

    def observe(self, now: float, iterations: int, busy: bool) -> bool:
        """Take one look.

        Args:
            now: seconds on a clock that never goes back.
            iterations: iterations the engine has finished since it started.
            busy: whether any request runs or waits.

        Returns:
            Whether the engine counts as alive.
        """
        if not busy:
            self._still_since = None
        elif self._still_since is None or iterations != self._iterations:
            self._still_since = now
        self._iterations = iterations
        return self._still_since is None or now - self._still_since <= self.stall_s
