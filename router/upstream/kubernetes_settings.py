"""How a router asks Kubernetes' API server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    timeout_s: float = 10.0  # seconds for a page of a list, or until a watch begins: etcd may be electing a leader
    # seconds until the API server ends a watch; by chance up to twice as long, so that routers do not come together
    watch_s: float = 300.0
    # seconds without a word after which a watch is taken for dead and resumed: bookmarks come once a minute, but a
    # connection whose other end is gone says nothing, and while it does a pod that leaves still gets requests
    idle_s: float = 30.0
    resync_s: float = (
        600.0  # seconds until everything is listed anew, in case an event was lost; costs one small answer
    )
    backoff_s: float = 0.25  # first pause after a failure, in seconds; doubles, and is cut by chance to half at most
    backoff_max_s: float = 10.0  # longest: so soon after the API server is back its word counts again
    page_slices: int = 100  # slices in one answer: a slice has 100 endpoints and 60 kB at most, as it comes
    max_slices: int = 1_000  # of one Service; 100,000 replicas, so more are a mistake
    page_bytes: int = 33_554_432  # largest answer to a list
    line_bytes: int = 4_194_304  # largest event: one slice of a cluster that allows 1,000 endpoints in it is 0.6 MB

    def __post_init__(self) -> None:
        for name in ("timeout_s", "watch_s", "idle_s", "resync_s", "backoff_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.backoff_max_s < self.backoff_s:
            raise ValueError(f"backoff_max_s must be at least backoff_s ({self.backoff_s}), got {self.backoff_max_s}")
        for name, least in (("page_slices", 1), ("max_slices", 1), ("page_bytes", 65_536), ("line_bytes", 65_536)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
