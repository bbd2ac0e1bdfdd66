"""The rest of a stream whose first body byte is there: passed on, watched from the side, and settled once."""

from dataclasses import dataclass
from typing import Protocol

from router.policy.lease import Lease
from router.policy.outcome import Outcome, StreamBroken, Usage, Verdict
from router.protocol.errors import ApiError
from router.protocol.splice import Splicer


class Reply(Protocol):
    """An endpoint's answer as far as it has come; see `upstream.client.Reply`."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def body(self) -> bytes: ...
    async def read(self) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Committed:
    """An attempt whose first body byte is there, and the start of the answer in the client's words."""

    lease: Lease
    reply: Reply
    splicer: Splicer | None  # of a stream
    first: bytes

    def abandon(self) -> None:
        """Give everything back of an answer that nobody waits for any more."""
        self.lease.end(Outcome(Verdict.CANCELLED))
        self.reply.close()


class Relay:
    """The rest of a committed stream. Ends its lease exactly once, also when it is never iterated.

    A class and not an async generator, because a generator that never starts never runs its `finally`.
    """

    def __init__(self, committed: Committed) -> None:
        assert committed.splicer is not None
        self._committed = committed
        self._splicer = committed.splicer
        self._first: bytes | None = committed.first
        self.outcome = committed.reply.outcome if committed.splicer.is_done else Outcome(Verdict.CANCELLED)

    @property
    def is_whole(self) -> bool:
        """Its end has come, and is in what was given out last."""
        return self._splicer.is_done

    @property
    def usage(self) -> Usage:
        return self._splicer.usage

    @property
    def finish_reason(self) -> str | None:
        return self._splicer.finish_reason

    @property
    def native_finish_reason(self) -> str | None:
        """In the engine's words."""
        return self._splicer.native_finish_reason

    def __aiter__(self) -> "Relay":
        return self

    async def __anext__(self) -> bytes:
        """The next bytes for the client. Raises StreamBroken when the engine's answer does not end as it should."""
        try:
            if self._first is not None:
                first, self._first = self._first, None
                if first:
                    return first
            while True:
                data = await self._committed.reply.read()
                if not data:
                    self._splicer.finish()
                    self.outcome = self._committed.reply.outcome
                    raise StopAsyncIteration
                out = self._splicer.feed(data)
                if self._splicer.is_done:
                    self.outcome = self._committed.reply.outcome
                if out:
                    return out
                if self._splicer.failure is not None:
                    self._splicer.finish()
        except StreamBroken as broken:
            self.outcome = broken.outcome
            raise

    def error_event(self, error: ApiError) -> bytes:
        """How the stream ends when it cannot end well."""
        return self._splicer.error_event(error)

    def close(self) -> None:
        """Give everything back. Closing an unfinished stream makes the engine abort the request."""
        self._committed.lease.end(self.outcome, self.usage)
        self._committed.reply.close()
