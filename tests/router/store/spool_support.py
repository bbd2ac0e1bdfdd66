"""Spools in a temporary folder, and rows to put into them."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from router.protocol.entry import Entry, Opened
from router.protocol.spool_line import decode
from router.store.spool import Spool
from router.store.spool_abandoned import Abandoned
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import claim_abandoned, make_home
from router.store.spool_segment import SYSTEM, Disk
from router.store.spool_settings import SpoolSettings

SMALL = 4_096  # bytes of a segment: some twenty rows
BOOT = "boot"


def opened(number: int, router: str = BOOT) -> Opened:
    return Opened(
        id=f"gen-{number}",
        created=float(number),
        router=router,
        key="k",
        workspace="default",
        kind="chat",
        requested="m",
    )


def entry(number: int, router: str = BOOT, **fields: object) -> Entry:
    base = opened(number, router).interrupted()
    values = {name: getattr(base, name) for name in Entry.__struct_fields__}
    return Entry(**values | {"status": "ok", "is_exact": True, "completion_tokens": 3, "cost": number} | fields)


def settings(directory: Path, **fields: object) -> SpoolSettings:
    return SpoolSettings(**{"directory": str(directory), "segment_bytes": SMALL, "max_bytes": 64 * SMALL} | fields)  # type: ignore[arg-type]


@contextmanager
def spool(directory: Path, *, boot: str = BOOT, disk: Disk = SYSTEM, **fields: object) -> Iterator[Spool]:
    """Of a router that ends well."""
    made = Spool(make_home(directory, boot), settings(directory, **fields), DamagedLog(directory, boot), disk=disk)
    try:
        yield made
    finally:
        made.close()


def request(spool: Spool, *numbers: int) -> None:
    """From beginning to end."""
    for number in numbers:
        spool.opened(opened(number))
        spool.closed(entry(number))


def drain(spool: Spool, limit: int = 7) -> list[Entry]:
    """All rows, each said done."""
    rows: list[Entry] = []
    while taken := spool.take(limit):
        rows += taken
        spool.done(len(taken))
    return rows


def adopted(directory: Path, limit: int = 5) -> list[Entry]:
    """What abandoned folders hold; they are gone afterwards."""
    rows: list[Entry] = []
    for home in claim_abandoned(directory, 100):
        abandoned = Abandoned(home, DamagedLog(directory, "heir"))
        while not abandoned.is_read:
            rows += abandoned.take(limit)
        home.delete()
    return rows


def ids(rows: Sequence[Entry | Opened]) -> list[str]:
    return [row.id for row in rows]


def records(path: Path) -> list[Entry | Opened | None]:
    """Of a file, line by line."""
    return [decode(line) for line in path.read_bytes().splitlines()]


class SmallDisk:
    """Takes so many bytes, then none; None: as many as come."""

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self.error = errno.ENOSPC
        self.is_readable = True
        self.calls = Disk(self._write, self._read)

    def _write(self, descriptor: int, data: bytearray, offset: int) -> int:
        if self.room is None:
            return os.pwrite(descriptor, data, offset)
        if not self.room:
            raise OSError(self.error, os.strerror(self.error))
        written = os.pwrite(descriptor, bytes(data[: self.room]), offset)
        self.room -= written
        return written

    def _read(self, descriptor: int, size: int, offset: int) -> bytes:
        if not self.is_readable:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.pread(descriptor, size, offset)
