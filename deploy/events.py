"""Reads what a child tells as JSON lines on its standard output, while it is being written.

Libraries print there too: a line that is no JSON object with an `event` is none of ours and passed over.
"""

import json
from collections import deque
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class EventFile:
    """The events in a growing file, each handed out once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0
        self._begun_line = b""
        self._waiting: deque[Event] = deque()

    def next(self) -> Event | None:
        """The next event; None if there is no new one yet."""
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            new = file.read()
        self._read_bytes += len(new)
        *lines, self._begun_line = (self._begun_line + new).split(b"\n")
        self._waiting.extend(event for event in map(_event, lines) if event)
        return self._waiting.popleft() if self._waiting else None


def _event(line: bytes) -> Event | None:
    if not line.startswith(b"{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if "event" in found else None
