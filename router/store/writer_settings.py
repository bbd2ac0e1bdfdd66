"""How often rows go into the database, and how patiently."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    batch: int = 500  # rows in one transaction; more would not be quicker, and hold locks for longer
    flush_s: float = 0.2  # until rows are written that do not fill a batch
    backoff_s: float = 0.1  # first pause when the database is away; doubles, and is shortened by chance by up to half
    backoff_max_s: float = 5.0  # longest: rows come again so soon after the database has
    drain_s: float = 5.0  # for the rest when the router stops; what is not written by then waits on disk for the next

    def __post_init__(self) -> None:
        if self.batch < 2:
            raise ValueError(f"batch must be at least 2 rows, got {self.batch}: a bad row shows beside a good one")
        for name in ("flush_s", "backoff_s", "backoff_max_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.backoff_max_s < self.backoff_s:
            raise ValueError(f"backoff_max_s must be at least backoff_s ({self.backoff_s}), got {self.backoff_max_s}")
        if not self.drain_s >= 0:
            raise ValueError(f"drain_s must be at least 0 seconds, got {self.drain_s}")
