"""Whether a request can still be answered in time, by the wait that is predicted for it.

A fleet that takes everything answers everything late: beyond its capacity goodput falls to nearly nothing. So a request
that no endpoint can begin in time is refused at once, and told when to come back. What may be waited is

    wait <= margin · (deadline - own),   deadline = max(first_token_s, length_factor · own)

where `own` is the time the prompt itself takes on an idle endpoint. The wait is compared, and not the whole time to the
first token, because a deadline that grows with the prompt would otherwise refuse every long prompt. The margin depends
on the priority: what is left of the deadline is room for what the prediction does not see.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.call import Call, Priority


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # seconds to the first token that callers are promised; null: the deadline `first_token_s`, so that only what is
    # sure to time out is refused
    first_token_s: float | None = None
    length_factor: float = 2.0  # times the prompt's own time that a long prompt is promised instead
    batch_margin: float = 0.5  # share of the deadline that batch requests may wait: they give way first
    normal_margin: float = 0.85  # the rest is for what the prediction does not see
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
        self._margins = {Priority.BATCH: settings.batch_margin, Priority.NORMAL: settings.normal_margin}

    def longest_waits(self, call: Call, owns: Sequence[float]) -> list[float]:
        """Seconds that a call may wait before its prompt is begun, for each time that the prompt itself may take.

        Below 0: it cannot be in time. Critical calls are never refused for a configured promise, only for a deadline of
        their own.
        """
        asked = math.inf if call.first_token_s is None else call.first_token_s
        margin = self._margins.get(call.priority)
        if margin is None:
            return [asked - own_s for own_s in owns]
        promised, factor = self._first_token_s, self._settings.length_factor
        return [margin * (min(asked, max(promised, factor * own_s)) - own_s) for own_s in owns]

    def is_saturated(self, shortest_wait_s: float) -> bool:
        """Is so much queued even at the least loaded endpoint that it is better to wait here?"""
        return self._settings.saturated_s is not None and shortest_wait_s > self._settings.saturated_s
