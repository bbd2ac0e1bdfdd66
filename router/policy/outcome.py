"""How an attempt ended, who is to blame, and whether another attempt may help."""

from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    """The end of an attempt, in the words of the glossary."""

    OK = "ok"
    REJECTED = "rejected"  # the client's fault: 4xx
    RATE_LIMITED = "rate_limited"  # 429
    OVERLOADED = "overloaded"  # 503 with or without Retry-After: back-pressure, not a fault
    UNAVAILABLE = "unavailable"  # refused, reset before a byte, other 5xx, nonsense instead of an answer
    TIMEOUT = "timeout"  # connect, first token, idle or total
    BROKEN = "broken"  # ended wrongly after the first body byte
    CANCELLED = "cancelled"  # the client went away, or the router let go

    @property
    def is_fault(self) -> bool:
        """Does it speak against the endpoint's health?"""
        return self in (Verdict.UNAVAILABLE, Verdict.TIMEOUT, Verdict.BROKEN)

    @property
    def is_retryable(self) -> bool:
        """May another endpoint do better, as long as no body byte was passed on?"""
        return self in (Verdict.RATE_LIMITED, Verdict.OVERLOADED, Verdict.UNAVAILABLE, Verdict.TIMEOUT)


class Phase(Enum):
    """Which clock ran out."""

    CONNECT = "connect"
    FIRST_TOKEN = "first_token"
    IDLE = "idle"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and what is known of its cause."""

    verdict: Verdict
    status: int | None = None  # the endpoint's HTTP status, where it gave one
    detail: str = ""  # for logs and `metadata.raw`; holds no address or secret
    retry_after_s: float | None = None
    phase: Phase | None = None  # with TIMEOUT


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the engine counted them (or as the router counted chunks, when the engine could not say)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    is_exact: bool = True
    tells_cached: bool = field(default=True, compare=False)  # False: the engine does not say, so 0 means nothing

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class StreamBroken(Exception):
    """An answer that had begun did not end as it should. Carries the outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail or outcome.verdict.value)
        self.outcome = outcome
