"""Where lines go that cannot be read, and rows that the database will not have: a file beside the spool's folders.

Rows stand there as lines of the spool. Once the reason is mended, `mkdir <spool>/again && mv <file> <spool>/again/1`
has a router write them: see spool_home.
"""

import logging
import os
from pathlib import Path
from threading import Lock

logger = logging.getLogger(__name__)


class DamagedLog:
    """One per router. May be used in threads."""

    def __init__(self, spool: Path, boot: str) -> None:
        self.path = spool / f"damaged-{boot}.log"
        self.lines = 0  # that came here
        self.lost = 0  # of them, that could not even be written here
        self._lock = Lock()

    def add(self, line: bytes, where: str) -> None:
        """Set a line aside, given without its end. What it holds is not logged. Raises nothing."""
        with self._lock:
            self.lines += 1
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                try:
                    _write_all(descriptor, line + b"\n")
                finally:
                    os.close(descriptor)
            except OSError as error:
                self.lost += 1
                logger.error("ledger: %d bytes of %s are LOST: %s cannot be written: %s", len(line), where, self.path,
                             error.strerror)  # fmt: skip
            else:
                logger.error("ledger: %d bytes of %s were set aside in %s", len(line), where, self.path)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
