"""What happens, one JSON object per line, for the process that started us."""

import json
import os
import sys
from typing import Any, Protocol, TextIO


class Tell(Protocol):
    """Says that something happened."""

    def __call__(self, event: str, /, **facts: Any) -> None: ...


def tell(output: TextIO, event: str, /, **facts: Any) -> None:
    """Write one event."""
    print(json.dumps({"event": event, **facts}), file=output, flush=True)


def claim_standard_output() -> TextIO:
    """Keep standard output for events: libraries that print get standard error instead.

    Returns:
        The stream that still leads to where standard output led.
    """
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(2, 1)
    return events
