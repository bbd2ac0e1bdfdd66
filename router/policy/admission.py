"""Whether a request can still be answered in time, by the wait that is predicted for it.

A fleet that takes everything answers everything late: beyond its capacity goodput falls to nearly nothing. So a request
that no endpoint can begin in time is refused at once, and told when to come back. It is in time where

    wait + own <= margin · max(first_token_s, length_factor · whole)

`whole` is the time that the prompt would take on an idle endpoint, and `own` what of it is not cached there. So a
cached prompt may wait longer than another of its length: it costs the fleet less. The margin depends on the priority:
what is left of the promise is room for what the prediction does not see, and for the pace of those who decode. At
about half, a long prompt that nobody has cached is taken only where hardly anything waits: under overload the dearest
go first.

Two things are never refused for a promise: what has an endpoint to itself, because refusing it makes nobody faster (and
an engine that is believed to be slow would never get the chance to prove otherwise), and critical calls. A deadline
that the caller names is another matter: who cannot keep it says so at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.call import Call, Priority


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # seconds to the first token that callers are promised; null: the deadline `first_token_s`, of which normal calls
    # may use all, so that only what would time out is refused
    first_token_s: float | None = None
    length_factor: float = 2.0  # times the prompt's own time that a long prompt is promised instead
    batch_margin: float = 0.25  # share of the promise that batch calls may use: they give way first
    normal_margin: float = 0.52  # of normal calls; measured: at 0.4 and at 0.85 far fewer stay good under overload
    # seconds of prompts queued at every endpoint from which on requests wait here instead, in fair order; null: never
    saturated_s: float | None = 1.0

    def __post_init__(self) -> None:
        if self.first_token_s is not None and not self.first_token_s > 0:
            raise ValueError(f"first_token_s must be above 0 seconds, got {self.first_token_s}")
        if not self.length_factor >= 1:
            raise ValueError(f"length_factor must be at least 1, got {self.length_factor}")
        for name in ("batch_margin", "normal_margin"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")
        if self.saturated_s is not None and not self.saturated_s > 0:
            raise ValueError(f"saturated_s must be above 0 seconds, got {self.saturated_s}")


class Admission:
    """The promise of one pool.

    `first_token_s`: the deadline where the settings name none.
    """

    def __init__(self, settings: AdmissionSettings, first_token_s: float) -> None:
        self._settings = settings
        self._first_token_s = settings.first_token_s or first_token_s
        normal = 1.0 if settings.first_token_s is None else settings.normal_margin
        self._margins = {Priority.BATCH: settings.batch_margin, Priority.NORMAL: normal}

    def longest_waits(self, call: Call, owns: Sequence[float], whole_s: float, streams: Sequence[int]) -> list[float]:
        """Seconds that a call may wait before its prompt is begun, for each time that the prompt itself may take.

        Below 0: it would be late even without any wait.

        Args:
            call: which call.
            owns: seconds that what is not cached of its prompt takes, at each endpoint.
            whole_s: seconds that the whole prompt would take on an idle endpoint.
            streams: requests at each endpoint; where there are none, no promise is held against the call.
        """
        asked = math.inf if call.first_token_s is None else call.first_token_s
        margin = self._margins.get(call.priority)
        if margin is None:
            return [asked - own_s for own_s in owns]
        promised = margin * max(self._first_token_s, self._settings.length_factor * whole_s)
        return [
            min(asked - own_s, promised - own_s if others else max(0.0, promised - own_s))
            for own_s, others in zip(owns, streams, strict=True)
        ]

    def is_saturated(self, shortest_wait_s: float) -> bool:
        """Is so much queued even at the least loaded endpoint that it is better to wait here?"""
        return self._settings.saturated_s is not None and shortest_wait_s > self._settings.saturated_s
