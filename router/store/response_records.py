"""Answers of `/responses` as they are kept. Values only."""

from dataclasses import dataclass

from router.protocol.responses.memory import Remembered


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """An answer, and whose it is."""

    workspace: str
    key: str
    expires_at: float  # unix seconds
    answer: Remembered
