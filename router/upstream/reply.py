"""An endpoint's answer as far as it has come: whole, or the start of a stream and the way to the rest of it.

Rules: a stream either ends cleanly or raises StreamBroken, again on every further read; a stream that nobody reads or
closes is closed by its total clock; closing an unfinished one cuts the connection, which is how an engine learns that
it may stop working on the request.
"""

import asyncio
from typing import Protocol

from router.policy.outcome import Outcome, Phase, StreamBroken, Verdict
from router.upstream.failed import Failed
from router.upstream.idle_clock import IdleClock
from router.upstream.judgement import of_clock, of_failure
from router.upstream.progress import Progress


class Rest(Protocol):
    """Of an answer, as it comes: an Exchange."""

    async def readany(self) -> bytes: ...
    def close(self) -> None: ...


class Reply:
    """`body` is everything there is, or with `stream` and an OK outcome the first bytes."""

    __slots__ = ("_broken", "_clock", "_progress", "_rest", "body", "outcome", "status")

    def __init__(self, outcome: Outcome, status: int = 0, body: bytes = b"") -> None:
        self.outcome = outcome
        self.status = status  # 0: there was no answer
        self.body = body
        self._rest: Rest | None = None
        self._progress = Progress()
        self._clock: IdleClock | None = None
        self._broken: Outcome | None = None

    def __repr__(self) -> str:
        return f"Reply({self.outcome.verdict.value}, {self.status}, {len(self.body)} bytes)"

    def continue_with(self, rest: Rest, progress: Progress, *, idle_s: float, total_at: float) -> None:
        """Take over an answer whose first bytes are in `body`. From here on `close` is owed."""
        self._rest = rest
        self._progress = progress
        loop = asyncio.get_running_loop()
        self._clock = IdleClock(loop, idle_s=idle_s, total_at=total_at, on_expiry=self._expire)

    async def read(self) -> bytes:
        """The next bytes; b"" at the clean end.

        Raises StreamBroken when the connection is lost, the body is cut off, the idle or total clock runs out, or
        the reply was closed.
        """
        rest, clock = self._rest, self._clock
        if rest is None or clock is None:
            return self._after_the_end()
        clock.wait()
        try:
            data = await rest.readany()
        except Failed as failed:
            self._end(of_failure(failed, has_begun=True))  # unless it was a clock of ours that cut the connection
            return self._after_the_end(failed)
        except BaseException:
            self.close()
            raise
        if self._rest is None:  # a clock ran out, or the reply was closed, between the data's coming and now
            return self._after_the_end()
        if not data:
            self._end(None)
            return b""
        clock.heard(is_progress=self._progress.feed(data))
        return data

    def close(self) -> None:
        """Give the connection back to the pool if the answer has come in whole, else cut it. May be repeated."""
        self._end(Outcome(Verdict.CANCELLED, detail="closed before its end"))

    def _expire(self, phase: Phase) -> None:
        self._end(of_clock(phase))  # wakes a read() that waits

    def _after_the_end(self, cause: Exception | None = None) -> bytes:
        if self._broken is not None:
            raise StreamBroken(self._broken) from cause
        return b""

    def _end(self, broken: Outcome | None) -> None:
        """Only the first end counts."""
        clock, rest = self._clock, self._rest
        self._clock = self._rest = None
        if clock is None or rest is None:
            return
        self._broken = broken
        clock.stop()
        rest.close()
