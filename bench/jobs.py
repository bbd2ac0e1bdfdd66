"""What the load generator can be told to do, and what it answers: the values between its process and the bench's."""

from collections.abc import Sequence

import msgspec

from bench.bodies import Body, encode, request


class Target(msgspec.Struct, frozen=True):
    """Whom to ask."""

    address: str  # host:port
    model: str
    key: str = ""

    def request(self, body: Body, *, max_tokens: int, stream: bool) -> bytes:
        return request(self.address, self.key, encode(body, model=self.model, max_tokens=max_tokens, stream=stream))


class Saturate(msgspec.Struct, frozen=True, tag="saturate"):
    """As many plain requests as the target can do."""

    target: Target
    pid: int
    body: Body
    connections: int
    warm_s: float
    window_s: float


class Stream(msgspec.Struct, frozen=True, tag="stream"):
    """Many long streams at once."""

    target: Target
    pid: int
    streams: int
    ramp_s: float
    settle_s: float  # from when all have a token until the window begins
    window_s: float
    patience_s: float = 10.0  # how late the last one's first token may be


class Pace(msgspec.Struct, frozen=True, tag="pace"):
    """Streamed requests at a rate (each target's own Poisson arrivals), to several targets in the same seconds."""

    targets: Sequence[Target]
    per_s: float
    warm_s: float
    window_s: float
    max_tokens: int
    seed: int


class Saturated(msgspec.Struct, frozen=True):
    requests: int
    seconds: float
    cpu_s: float
    failures: list[str]


class Streamed(msgspec.Struct, frozen=True):
    tokens: int
    seconds: float
    cpu_s: float
    before_mb: float  # resident before the first stream
    peak_mb: float  # while all were open
    failures: list[str]


class Paced(msgspec.Struct, frozen=True):
    first_event_ms: list[list[float]]  # per target, of every request that was due in the window
    failures: list[str]
