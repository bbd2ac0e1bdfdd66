"""What a reply does when it ends while it is being read."""

import asyncio
from collections.abc import Callable

import pytest

from router.policy.outcome import Outcome, StreamBroken, Verdict
from router.upstream.progress import Progress
from router.upstream.reply import Reply
from tests.router.upstream.support import Run


class Rest:
    """An answer that hands out data, but something happens between its coming and its being taken."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self.closed = 0

    async def readany(self) -> bytes:
        self._meanwhile()
        return b"data: late\n\n"

    def close(self) -> None:
        self.closed += 1


def test_data_that_comes_as_the_reply_is_closed_is_not_taken_for_an_answer(run: Run) -> None:
    async def main() -> None:
        reply = Reply(Outcome(Verdict.OK, 200), 200, b"data: first\n\n")
        rest = Rest(meanwhile=reply.close)
        total_at = asyncio.get_running_loop().time() + 60
        reply.continue_with(rest, Progress(), idle_s=30, total_at=total_at)
        for _ in range(2):
            with pytest.raises(StreamBroken) as broken:
                await reply.read()
            assert Outcome(Verdict.CANCELLED, detail="closed before its end") == broken.value.outcome
        assert 1 == rest.closed

    run(main())


def test_a_reply_can_be_looked_at() -> None:
    assert "Reply(rejected, 400, 2 bytes)" == repr(Reply(Outcome(Verdict.REJECTED, 400), 400, b"{}"))
