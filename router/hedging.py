"""Two attempts side by side for one first byte, where the policy allows it.

Only streams are hedged: of a whole answer the first byte is the last, and its time says nothing of the prompt's. The
first to come with a good first byte wins; the other is cancelled, and its lease ends at once. Whoever is cancelled
meanwhile ends both.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress

from router.policy.lease import Pick
from router.policy.outcome import Outcome, Verdict
from router.relay import Reply

Send = Callable[[Pick], Awaitable[Reply]]


async def send_hedged(
    first: Pick, send: Send, *, delay_s: float, second: Callable[[], Pick | None]
) -> tuple[Pick, Reply]:
    """Send `first`; if it is not there after `delay_s`, maybe a second beside it.

    Args:
        first: the attempt.
        send: performs an attempt up to its first body byte; ends its lease when it is cancelled.
        delay_s: until the first is late; infinity: it is never hedged.
        second: another attempt, if there may be one now.

    Returns:
        The attempt whose reply counts, and the reply. The lease of the other has ended.
    """
    if math.isinf(delay_s):
        return first, await send(first)
    tasks: dict[asyncio.Task[Reply], Pick] = {_start(send, first): first}
    try:
        await asyncio.wait(tasks, timeout=delay_s)
        if not any(task.done() for task in tasks) and (other := second()) is not None:
            tasks[_start(send, other)] = other
        while True:
            done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            good = next((task for task in done if _is_good(task)), None)
            if good is None and waiting:  # one has failed: all hope is on the other
                for task in done:
                    _give_up(task, tasks.pop(task))
                continue
            winner = good or done.pop()
            return tasks.pop(winner), winner.result()
    finally:
        for task, pick in tasks.items():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
            _give_up(task, pick)


async def _perform(send: Send, pick: Pick) -> Reply:
    return await send(pick)


def _start(send: Send, pick: Pick) -> "asyncio.Task[Reply]":
    return asyncio.create_task(_perform(send, pick))


def _is_good(task: "asyncio.Task[Reply]") -> bool:
    return task.exception() is None and task.result().outcome.verdict is Verdict.OK


def _give_up(task: "asyncio.Task[Reply]", pick: Pick) -> None:
    """End what an attempt holds whose reply does not count."""
    if task.cancelled() or not task.done() or task.exception() is not None:
        pick.lease.end(Outcome(Verdict.CANCELLED))
        return
    reply = task.result()
    is_loser = reply.outcome.verdict is Verdict.OK
    pick.lease.end(Outcome(Verdict.CANCELLED) if is_loser else reply.outcome)
    reply.close()
