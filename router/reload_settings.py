"""How a changed configuration is taken over while the router runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReloadSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # seconds between looks at the file and at the secrets' files it names; a look reads some kilobytes. null: only
    # SIGHUP makes the router look
    interval_s: float | None = 5.0
    # seconds until a file that has changed is read, if it has not changed again: whoever writes it may not be done
    settle_s: float = 0.25
    # seconds that requests begun under a former configuration may go on with what only that has (a provider that is
    # named no more); deadlines.total_s ends them as a rule
    drain_s: float = 900.0

    def __post_init__(self) -> None:
        if self.interval_s is not None and not self.interval_s > 0:
            raise ValueError(f"interval_s must be above 0 seconds, or null, got {self.interval_s}")
        for name in ("settle_s", "drain_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
