"""Limits of the router towards endpoints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Of the HTTP client. How long the phases of an answer may take is in `Deadlines`."""

    keepalive_s: float = 3.0  # seconds a connection waits for reuse; uvicorn, so vLLM, closes after 5: be shorter
    read_buffer_bytes: int = 65_536  # per stream; reading stops at twice this while a client is slow
    unacknowledged_s: float = 20.0  # after this a host that acknowledges no packet is gone
    max_body_bytes: int = 33_554_432  # of a whole answer; the largest sensible (logprobs, n = 8) is a few MB
    max_error_bytes: int = 65_536  # of an error's body; the rest is not read
    max_retry_after_s: float = 300.0  # a longer Retry-After is a mistake, or a shutdown that discovery reports
