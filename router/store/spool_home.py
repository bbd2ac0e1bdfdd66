"""Each router's folder in the spool: whose it is says a lock, which dies with its holder.

    <spool>/<boot id>/lock            flock: held as long as the router lives
    <spool>/<boot id>/000000000001    segments, in order
    <spool>/damaged-<boot id>.log     what could not be read or written (see spool_damaged)

A folder comes to be under another name, and gets its own when it is locked: nobody ever sees a live router's without a
lock. One whose lock can be had is a dead router's, and belongs to whoever has it. Somebody else may just have deleted
it, so the lock that was got must be the one that is there.

Files put into a new folder by hand are adopted like a dead router's: so an operator replays what was set aside.
"""

import errno
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

_LOCK = "lock"
_NASCENT = ".new-"  # folders that are not locked yet
_NASCENT_S = 3_600.0  # age of one whose maker must be dead
_BOOT = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_-]{0,63}")


class Home:
    """A folder, and its lock."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    def __repr__(self) -> str:
        return f"Home({self.path})"

    @property
    def boot(self) -> str:
        """Id of the router whose it is, or was."""
        return self.path.name

    def segment(self, number: int) -> Path:
        return self.path / f"{number:012d}"

    def segments(self) -> list[Path]:
        """Those that are there, in order.

        Raises:
            OSError: as it says.
        """
        return sorted(path for path in self.path.iterdir() if path.name != _LOCK)

    def close(self) -> None:
        """Let go of it: what is there is for another router."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def delete(self) -> None:
        """With all that is in it; the lock goes last, and with it our claim.

        Raises:
            OSError: something is still there; whoever finds it goes on.
        """
        try:
            for path in self.segments():
                path.unlink()
            (self.path / _LOCK).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                self.path.rmdir()
        finally:
            self.close()


def make_home(spool: Path, boot: str) -> Home:
    """A new router's.

    Raises:
        ValueError: the boot id cannot be a name.
        OSError: it is there already, or the disk takes it not.
    """
    if not _BOOT.fullmatch(boot):
        raise ValueError(f"a boot id has 1 to 64 letters, digits, _ and -, got {boot!r}")
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    nascent = Path(tempfile.mkdtemp(prefix=_NASCENT, dir=spool))  # with mode 0700
    lock = None
    try:
        lock = _locked(nascent / _LOCK)
        if lock is None:
            raise OSError(errno.EWOULDBLOCK, "somebody else has locked it", str(nascent))
        nascent.rename(spool / boot)
    except BaseException:
        if lock is not None:
            os.close(lock)
        (nascent / _LOCK).unlink(missing_ok=True)
        nascent.rmdir()
        raise
    return Home(spool / boot, lock)


def claim_abandoned(spool: Path, most: int, wall_clock: Callable[[], float] = time.time) -> list[Home]:
    """Folders of dead routers, from now on the caller's: at most so many.

    Raises:
        OSError: the spool cannot be read.
    """
    return list(islice(_abandoned(spool, wall_clock()), most))


def _abandoned(spool: Path, unix_s: float) -> Iterator[Home]:
    for path in sorted(spool.iterdir()):
        if path.name.startswith(_NASCENT):
            _sweep(path, unix_s)
        elif _BOOT.fullmatch(path.name) and path.is_dir() and (home := _claimed(path)) is not None:
            yield home


def _claimed(path: Path) -> Home | None:
    """None: it is somebody else's, or has just gone."""
    try:
        lock = _locked(path / _LOCK)
    except (FileNotFoundError, PermissionError):
        return None
    return None if lock is None else Home(path, lock)


def _locked(path: Path) -> int | None:
    """The lock's descriptor; None: somebody else holds it.

    Raises:
        OSError: it cannot be opened, or this file system has no locks.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.stat()):
            kept, lock = lock, -1
            return kept
    except (BlockingIOError, FileNotFoundError):
        pass
    finally:
        if lock >= 0:
            os.close(lock)
    return None


def _sweep(path: Path, unix_s: float) -> None:
    """What a router left that died while it was born."""
    with suppress(OSError):
        if unix_s - path.stat().st_mtime > _NASCENT_S and (home := _claimed(path)) is not None:
            home.delete()
