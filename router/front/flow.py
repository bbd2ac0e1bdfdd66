"""The two directions of a connection, and since when either of them stands still.

A body that we do not read is not slow, and an answer is stuck only while nothing leaves the buffer. What is in the
kernel's buffers is not seen from here, and need not be: they are bounded, and full before ours begins to fill.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """uvicorn's, with a clock (monotonic seconds)."""

    def __init__(self, transport: asyncio.Transport, clock: Callable[[], float]) -> None:
        super().__init__(transport)
        self._clock = clock
        self._paused_at = 0.0
        self.resumed_at = 0.0  # since when we read
        self.paused_s = 0.0  # how long we did not read, in all; without the present pause
        self._drains = 0  # how often the buffer has become nearly empty again
        self._seen = (0, 0)
        self._stuck_since = 0.0

    def pause_reading(self) -> None:
        if not self.read_paused:
            self._paused_at = self._clock()
        super().pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused:
            self.resumed_at = self._clock()
            self.paused_s += self.resumed_at - self._paused_at
        super().resume_reading()

    def resume_writing(self) -> None:
        self._drains += 1
        super().resume_writing()

    def stuck_s(self, now: float) -> float:
        """For how long nothing has left the buffer, as far as looking at it now and then can tell.

        Bytes can leave while others come, but hardly ever so that the same number is there at each look.
        """
        size = self._transport.get_write_buffer_size()
        seen = (size, self._drains)
        if not size or seen != self._seen:
            self._seen = seen
            self._stuck_since = now
        return now - self._stuck_since
