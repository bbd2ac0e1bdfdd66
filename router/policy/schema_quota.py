"""How many different grammars an account may have compiled.

Engines keep compiled grammars in a cache that the same schema finds again; a caller with a new schema in every request
drives everybody else's out of it, or fills the engine's memory (GHSA-hf3c-wxg2-49q9, CVE-2025-29770). What an account
has used within the window costs nothing more; only what is new counts.
"""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaQuotaSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    distinct: int = 200  # grammars an account may have in the window: an application has tens, its developers some more
    window_s: float = 3_600.0  # seconds since its last use; engines' caches turn over in about that
    remembered: int = (
        100_000  # grammars of all accounts together, some 150 bytes each; those of who was away longest go
    )

    def __post_init__(self) -> None:
        if self.distinct < 1:
            raise ValueError(f"distinct must be at least 1, got {self.distinct}")
        if not self.window_s > 0:
            raise ValueError(f"window_s must be above 0, got {self.window_s}")
        if self.remembered < self.distinct:
            raise ValueError(f"remembered must be at least distinct ({self.distinct}), got {self.remembered}")


class SchemaQuota:
    """Of one router; each counts for itself, as each engine's cache is filled by all of them."""

    def __init__(self, settings: SchemaQuotaSettings) -> None:
        self._settings = settings
        self._used: OrderedDict[str, OrderedDict[int, float]] = OrderedDict()  # both: used longest ago first
        self._remembered = 0

    def __len__(self) -> int:
        """Grammars that are remembered."""
        return self._remembered

    def admit(self, account: str, grammar: int, now: float) -> float | None:
        """Take note of a use.

        Args:
            account: whose.
            grammar: what stands for it, see `response_format.constraint_of`.
            now: monotonic seconds.

        Returns:
            None: it may be compiled; else seconds until it may.
        """
        used = self._used.setdefault(account, OrderedDict())
        self._used.move_to_end(account)
        horizon = now - self._settings.window_s
        while used and next(iter(used.values())) <= horizon:
            used.popitem(last=False)
            self._remembered -= 1
        if grammar not in used:
            if len(used) >= self._settings.distinct:
                return next(iter(used.values())) - horizon
            self._remembered += 1
        used[grammar] = now
        used.move_to_end(grammar)
        while self._remembered > self._settings.remembered:
            _, forgotten = self._used.popitem(last=False)
            self._remembered -= len(forgotten)
        return None
