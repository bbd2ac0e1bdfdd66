"""Which answers of `/responses` are kept, how many, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResponsesSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    store: bool = False  # may callers have answers kept? What they say is in the database then
    by_default: bool = False  # when they do not say; OpenAI keeps them then, OpenRouter does not
    days: float = 30.0  # for which an answer is kept, as at OpenAI
    # of one answer with all that it answered, pictures too: 4 MiB are four pictures of a megabyte, or all the text of
    # the longest context. What is larger is answered and not kept
    response_bytes: int = 4_194_304
    per_workspace: int = 10_000  # answers, the oldest dropped; looked after every sweep_s
    # that wait to be written, in the router's memory: 64 MiB are seconds of a busy router. Beyond it nothing is kept
    waiting_bytes: int = 67_108_864
    backoff_s: float = 0.1  # first pause when the database is away; doubles
    backoff_max_s: float = 5.0  # longest: answers are written so soon after the database has come back
    drain_s: float = 5.0  # for the rest when the router stops; what is not written by then is lost
    sweep_s: float = 300.0  # between looks for what has expired; nobody gets it meanwhile

    def __post_init__(self) -> None:
        for name in ("days", "backoff_s", "backoff_max_s", "sweep_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if not 1_024 <= self.response_bytes <= 268_435_456:
            raise ValueError(f"response_bytes must be from 1024 to 268435456 bytes, got {self.response_bytes}")
        if self.per_workspace < 1:
            raise ValueError(f"per_workspace must be at least 1 answer, got {self.per_workspace}")
        if self.waiting_bytes < self.response_bytes:
            problem = f"waiting_bytes must be at least response_bytes ({self.response_bytes})"
            raise ValueError(f"{problem}, got {self.waiting_bytes}")
        if self.backoff_max_s < self.backoff_s:
            raise ValueError(f"backoff_max_s must be at least backoff_s ({self.backoff_s}), got {self.backoff_max_s}")
        if not self.drain_s >= 0:
            raise ValueError(f"drain_s must be at least 0 seconds, got {self.drain_s}")
