"""Files as they are kept. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewFile:
    """One that begins to arrive."""

    workspace: str
    filename: str
    creator: str | None
    is_bounded: bool = True  # by the settings; what a batch makes is bounded by the batch, and nobody could send less


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What is known of a file when all of it is there."""

    size: int
    sha256: str  # hexadecimal
    mime_type: str
    purpose: str
    keep_s: float | None = None  # seconds after which it is deleted; None: never


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One that is whole."""

    id: str
    workspace: str
    filename: str
    mime_type: str
    purpose: str
    size: int
    sha256: str
    creator: str | None
    created_at: float
    expires_at: float | None


class FileGone(Exception):
    """It was deleted while it was read or written."""
