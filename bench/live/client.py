"""Sends requests when they are due, whatever has become of those before (open loop), and notes what came back.

A latency counts from when the request was due, so that a stall is seen by all whom it delays.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bench.connection import Connection
from bench.live.request import Asked

_USAGE = re.compile(rb'"(prompt_tokens|completion_tokens|cached_tokens)":\s*(\d+)')
LATE_S = 60.0  # real seconds that answers may take after the last request was sent; the rest counts as failed


@dataclass(slots=True)
class Seen:
    """One request and its answer. Times in the engines' seconds."""

    asked: Asked
    first_s: float | None = None  # from when it was due to its first event
    whole_s: float | None = None  # to its end
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    failure: str | None = None  # None: a whole answer came
    is_refused: bool = False  # 503 or 429: the router said that it would take too long

    @property
    def token_s(self) -> float:
        """Mean time between two tokens."""
        if self.first_s is None or self.whole_s is None or self.output_tokens < 2:
            return 0.0
        return (self.whole_s - self.first_s) / (self.output_tokens - 1)


class _Asking(Connection):
    """A connection that keeps the end of the answer."""

    @property
    def tail(self) -> bytes:
        return self._tail


async def send_all(address: str, requests: Iterable[Asked], time_scale: float) -> list[Seen]:
    """Send every request in its time.

    Args:
        address: host:port.
        requests: in the order of their times; read as they are needed.
        time_scale: real seconds for one of theirs.
    """
    loop = asyncio.get_running_loop()
    host, _, port = address.rpartition(":")
    idle: list[_Asking] = []
    seen: list[Seen] = []
    tasks: set[asyncio.Task[None]] = set()
    began = loop.time() + 0.1
    for asked in requests:
        due = began + asked.at_s * time_scale
        await asyncio.sleep(max(0.0, due - loop.time()))
        result = Seen(asked)
        seen.append(result)
        task = asyncio.create_task(_send(result, due, (host, int(port)), idle, time_scale))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=LATE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for connection in idle:
        connection.close()
    return seen


async def _send(result: Seen, due: float, place: tuple[str, int], idle: list[_Asking], scale: float) -> None:
    loop = asyncio.get_running_loop()
    result.failure = "no answer in time"
    while idle and not idle[-1].is_open:
        idle.pop()
    connection = idle.pop() if idle else None
    if connection is None:
        try:
            _, connection = await loop.create_connection(_Asking, *place)
        except OSError as error:
            result.failure = f"cannot connect: {error}"
            return
    done = asyncio.Event()
    body = result.asked.body
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {place[0]}\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    try:
        connection.ask(request, is_stream=True, on_done=lambda _: done.set())
        await done.wait()
    except asyncio.CancelledError:
        connection.close()
        raise
    ended = loop.time()
    result.failure = connection.failure
    if result.failure is not None:
        result.is_refused = result.failure.startswith(("status 503", "status 429"))
    else:
        usage = {name: int(value) for name, value in _USAGE.findall(connection.tail)}
        result.prompt_tokens = usage.get(b"prompt_tokens", 0)
        result.output_tokens = usage.get(b"completion_tokens", 0)
        result.cached_tokens = usage.get(b"cached_tokens", 0)
        result.first_s = (connection.first_event_at - due) / scale
        result.whole_s = (ended - due) / scale
    if connection.is_open:
        idle.append(connection)
