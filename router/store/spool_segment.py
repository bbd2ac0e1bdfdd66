"""One file of a live spool, and the end of it that the disk has not taken yet.

What is appended is accepted, whatever the disk says: bytes that it refuses stay in memory behind those that it took,
are read from there like the others, and are written as soon as it takes them. Each byte has one offset in the file,
so a write that was cut short is simply gone on with.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_CANNOT_TELL = (errno.EOPNOTSUPP, errno.EINVAL)  # file systems that know no such question


@dataclass(frozen=True, slots=True)
class Disk:
    """What is asked of the system; it may refuse, or do less than was asked."""

    write: Callable[[int, bytearray, int], int] = os.pwrite
    read: Callable[[int, int, int], bytes] = os.pread


SYSTEM = Disk()


class Segment:
    """Counters are the spool's to keep."""

    __slots__ = (
        "_disk",
        "_fd",
        "_path",
        "_refused",
        "carried_in_round",
        "entries",
        "is_dirty",
        "number",
        "opens",
        "outstanding",
        "size",
        "taken",
    )

    def __init__(self, number: int, path: Path, disk: Disk) -> None:
        self.number = number
        self.size = 0  # bytes accepted
        self.entries = 0  # ends of requests in it
        self.taken = 0  # of them, to be written to the database
        self.outstanding = 0  # of those taken, not yet written
        self.opens = 0  # beginnings in it of requests that are not over
        self.carried_in_round: int | None = None  # of syncs, in which its beginnings were copied to another
        self.is_dirty = False  # something was written since it was last written through
        self._path = path
        self._disk = disk
        self._fd: int | None = None
        self._refused = bytearray()

    def __repr__(self) -> str:
        return f"Segment({self.number}, size={self.size}, entries={self.entries}, taken={self.taken})"

    @property
    def in_memory(self) -> int:
        """Bytes that the disk has not taken."""
        return len(self._refused)

    def accept(self, line: bytes) -> None:
        """To be followed by `flush`."""
        self._refused += line
        self.size += len(line)

    def flush(self) -> None:
        """
        Raises:
            OSError: the disk does not take all of it.
        """
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        while self._refused:
            written = self._disk.write(self._fd, self._refused, self.size - len(self._refused))
            if not written:
                raise OSError("nothing was written")
            self.is_dirty = True
            del self._refused[:written]

    def probe(self, size: int) -> None:
        """Would the disk take so many bytes more?

        Raises:
            OSError: it would not.
        """
        try:
            os.posix_fallocate(self.descriptor, self.size, size)
        except OSError as error:
            if error.errno not in _CANNOT_TELL:
                raise
        finally:
            os.ftruncate(self.descriptor, self.size)

    def read(self, offset: int, size: int) -> bytes:
        """At most so many bytes from an offset; fewer at the end.

        Raises:
            OSError: the disk failed.
        """
        on_disk = self.size - len(self._refused)
        data = b""
        if offset < on_disk and self._fd is not None:
            data = self._disk.read(self._fd, min(size, on_disk - offset), offset)
        if len(data) < size and (begin := offset + len(data) - on_disk) >= 0:
            data += self._refused[begin : begin + size - len(data)]
        return data

    @property
    def descriptor(self) -> int:
        """Of the file, once something was flushed."""
        assert self._fd is not None, "nothing was flushed"
        return self._fd

    def close(self) -> None:
        """The file stays."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def delete(self) -> None:
        """
        Raises:
            OSError: the file stays.
        """
        self.close()
        self._path.unlink(missing_ok=True)
