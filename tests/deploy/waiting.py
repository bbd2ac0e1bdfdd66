"""Waits for the end of processes that are not children, without sleeping."""

import os
import select
from collections.abc import Iterable


def ended(pids: Iterable[int], timeout_s: float = 20.0) -> bool:
    """Whether all of them end within the time."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([descriptor], [], [], timeout_s)[0]:
                return False
        finally:
            os.close(descriptor)
    return True
