"""How long what was read of a key counts, and how much may be asked of the database at a time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownKeysSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    fresh_s: float = 5.0  # seconds until a change made elsewhere counts here; keys in use are read twice as often
    stale_s: float = 3600.0  # for which a key counts that cannot be read again: time to mend a database, not more
    recent_s: float = 30.0  # a key that was used so lately is read ahead of its next use; others when they come back
    keys: int = 100_000  # kept; some 1 KB each. The one that was used longest ago makes room
    unknown: int = 10_000  # ids kept of keys that do not exist; some 200 bytes each
    unknown_s: float = 10.0  # for which they are believed not to
    lookups: int = 2  # statements at a time: each reads all keys that wait, and the ledger needs connections too
    waiting: int = 1_000  # requests that may wait for their key; beyond it they are told to come back
    wait_s: float = 2.0  # that each of them waits; any healthy database answers in a tenth of it
    batch: int = 1_000  # keys to a statement; the databases' drivers allow some 32,000

    def __post_init__(self) -> None:
        for name in ("fresh_s", "unknown_s", "recent_s", "wait_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.stale_s < self.fresh_s:
            raise ValueError(f"stale_s must be at least fresh_s ({self.fresh_s}), got {self.stale_s}")
        for name in ("keys", "unknown", "lookups", "waiting", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
