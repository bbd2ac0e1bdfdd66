"""How batches run, and how large they may be."""

from dataclasses import dataclass, field

from router.policy.batch import RetrySettings


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    requests: int = 10_000  # of one batch
    bytes: int = 104_857_600  # 100 MiB of bodies in one batch: as a file may have
    submit_bytes: int = 33_554_432  # 32 MiB for a batch that comes with its requests: it is held in memory while read
    request_bytes: int = 8_388_608  # 8 MiB for one request; three pictures of 2 MiB as base64
    answer_bytes: int = 16_777_216  # 16 MiB for one answer, which is held in memory until it is written
    active: int = 16  # batches of a workspace that have not ended
    longest_window_h: int = 168  # hours that a batch may ask for; OpenAI's and OpenRouter's clients ask for 24
    keep_s: float = 2_592_000.0  # 30 days after its end a batch is deleted, with its results and the files it made
    concurrent: int = 4  # requests that one router has under way for batches: beside interactive ones, few are enough
    poll_s: float = 1.0  # seconds between two looks for work; an idle look is one statement
    # seconds after which what a dead router had begun is begun anew; it says three times in that time that it lives
    lease_s: float = 60.0
    stop_s: float = 5.0  # to give back what was begun when the router stops; what is left over comes back by its lease
    problems: int = 100  # with an input file that are told before its reading is given up
    retry: RetrySettings = field(default_factory=RetrySettings)

    def __post_init__(self) -> None:
        whole = ("requests", "bytes", "submit_bytes", "request_bytes", "answer_bytes", "active", "longest_window_h")
        for name in (*whole, "concurrent", "problems"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("keep_s", "poll_s", "lease_s", "stop_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.lease_s < 3 * self.poll_s:
            raise ValueError(f"lease_s must be at least three times poll_s, got {self.lease_s}")
