"""Candidates to weigh, given by the columns that matter."""

from collections.abc import Sequence

from router.policy.candidates import Candidates
from router.policy.catalog import Endpoint, EndpointId


def fleet(size: int) -> list[Endpoint]:
    return [Endpoint(EndpointId(f"e{number}"), f"http://10.0.0.{number}:8000") for number in range(size)]


def columns(size: int, **given: Sequence[float]) -> Candidates:
    """`size` endpoints that are idle, hold nothing, compute 1,000 tokens/s and are warm, but for what is given."""
    usual: dict[str, Sequence[float]] = {
        "queued": [0] * size,
        "streams": [0] * size,
        "cached": [0] * size,
        "rates": [1000.0] * size,
        "warmth": [1.0] * size,
        "delays": [0.0] * size,
    }
    return Candidates(endpoints=fleet(size), **{**usual, **given})  # type: ignore[arg-type]
