"""Whether the spool's disk does its work: said aloud when that changes, not for every request that it hurts."""

import errno
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)

logger = logging.getLogger(__name__)


class Trouble:
    """One kind of work, that goes well or does not."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._reason: str | None = None
        self._errno: int | None = None
        self.failures = 0  # since the start

    def __bool__(self) -> bool:
        """Did it fail the last time?"""
        return self._reason is not None

    @property
    def is_short_of_room(self) -> bool:
        """Did it fail because the disk is full?"""
        return bool(self) and self._errno in _FULL

    def failed(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        self.failures += 1
        self._errno = error.errno
        if reason != self._reason:
            self._reason = reason
            logger.error("ledger: the spool cannot be %s: %s", self._doing, reason)

    def is_over(self) -> None:
        if self._reason is not None:
            self._reason = None
            logger.warning("ledger: the spool can be %s again", self._doing)


def write_through(descriptors: Sequence[int], folder: Path) -> None:
    """Write files and the names in their folder through to the disk; their descriptors are closed.

    Raises:
        OSError: one of them was not.
    """
    try:
        for descriptor in descriptors:
            os.fdatasync(descriptor)
        names = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(names)
        finally:
            os.close(names)
    finally:
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)
