"""Server-sent events: bytes in, complete events out, whatever way the bytes were cut.

Lines may end in LF, CR LF or CR; events leave with LF only, without the empty lines around them. Comments are lines of
events like any other, and what they mean is the reader's business. One event may not grow without bound.
"""

from router.policy.outcome import Outcome, StreamBroken, Verdict

MAX_EVENT_BYTES = 1_048_576  # 1 MiB: a chunk with 20 logprobs for each of 500 tokens is under it
_END = b"\n\n"


class Framer:
    """Cuts a stream of bytes into events. Not reusable after it has raised."""

    __slots__ = ("_max_event_bytes", "_pending", "_skip_lf", "is_idle")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._pending = bytearray()
        self._skip_lf = False  # the last byte was CR: an LF now belongs to it
        self.is_idle = True  # nothing is held back: the next byte begins an event

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; give the events that are complete now (perhaps some empty ones).

        Raises:
            StreamBroken: an event is longer than the bound.
        """
        if self._skip_lf and data:
            data = data.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        pending = self._pending
        if not pending and data.endswith(_END) and len(data) <= self._max_event_bytes:
            self.is_idle = not self._skip_lf
            return data[:-2].split(_END)  # nearly always: engines write whole events
        search_from = max(0, len(pending) - 1)
        pending += data
        end = pending.rfind(_END, search_from)
        events = [bytes(event) for event in pending[:end].split(_END)] if end >= 0 else []
        if events:
            del pending[: end + 2]
        self.is_idle = not pending and not self._skip_lf
        if max(len(pending), *map(len, events), 0) > self._max_event_bytes:
            detail = f"an event of the stream is longer than {self._max_event_bytes} bytes"
            raise StreamBroken(Outcome(Verdict.BROKEN, detail=detail))
        return events


def data_of(event: bytes) -> bytes | None:
    """The data of an event (its `data:` lines joined by LF); None for an event without any, such as a comment."""
    lines = [
        line[5:].removeprefix(b" ") if line.startswith(b"data:") else b""
        for line in event.split(b"\n")
        if line.startswith(b"data:") or line == b"data"
    ]
    return b"\n".join(lines) if lines else None
