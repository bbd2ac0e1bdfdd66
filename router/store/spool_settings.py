"""Where the spool is, how large it may grow, and what happens then."""

from dataclasses import dataclass
from enum import Enum

_LEAST_SEGMENT = 4_096  # bytes: some records
_SEGMENTS = (4, 256)  # that the whole may come to; each that waits keeps a file open


class WhenFull(Enum):
    """What gives way when the database was away for too long, or the disk takes no more."""

    REFUSE = "refuse"  # new requests: nothing is lost
    DROP_OLDEST = "drop_oldest"  # the oldest rows, which are counted: inference goes on


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # on a disk that outlives the process; routers of one machine and one database share it, each in its own folder
    directory: str = "/var/lib/tramontane/spool"
    # of one file, in bytes: what is written is freed file by file; 8 MiB are some 6,000 requests
    segment_bytes: int = 8_388_608
    # of this router's files, in bytes: 256 MiB are some 180,000 requests, at 10 a second five hours without a database
    max_bytes: int = 268_435_456
    when_full: WhenFull = WhenFull.REFUSE
    # seconds between writes through to the disk: what a machine's crash may cost (a process's costs nothing).
    # 0: after each record, at the price of a disk's answer for every request; none: as the system likes
    fsync_s: float | None = 1.0
    adopt_s: float = 60.0  # between looks for folders that dead routers left

    def __post_init__(self) -> None:
        if not self.directory:
            raise ValueError("directory must not be empty")
        if self.segment_bytes < _LEAST_SEGMENT:
            raise ValueError(f"segment_bytes must be at least {_LEAST_SEGMENT}, got {self.segment_bytes}")
        least, most = (count * self.segment_bytes for count in _SEGMENTS)
        if not least <= self.max_bytes <= most:
            raise ValueError(
                f"max_bytes must be from {_SEGMENTS[0]} to {_SEGMENTS[1]} times segment_bytes ({least} to {most}), "
                f"got {self.max_bytes}"
            )
        if self.fsync_s is not None and not self.fsync_s >= 0:
            raise ValueError(f"fsync_s must be at least 0 seconds, or none, got {self.fsync_s}")
        if not self.adopt_s > 0:
            raise ValueError(f"adopt_s must be above 0 seconds, got {self.adopt_s}")
