"""The wire of one engine's KV-cache events: vLLM's ZeroMQ publisher, and its replay of what it published before.

Live messages come from a PUB socket as `[topic, number, batch]`, numbered from 0 by 8 bytes, big-endian. Who asks the
ROUTER socket with `["", number]` gets every message from that number on that the engine still has, as `["", topic,
number, batch]` (older versions leave the topic out), and at last one with the number -1. Either socket drops messages
when the reader is slow, so both kinds can have gaps; what to do then is not decided here.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import zmq
import zmq.asyncio
from zmq.utils.monitor import parse_monitor_message

from router.upstream.kv_event_settings import KVEventsSettings

_NUMBER = struct.Struct(">q")
_END = -1
_PING_MS = 5_000  # between signs of life on an idle connection
_SILENCE_MS = 15_000  # without one the connection is given up: a host that vanished says nothing


@dataclass(frozen=True, slots=True)
class Source:
    """Where one engine publishes."""

    endpoint: str  # tcp://host:port
    replay_endpoint: str
    topic: str = ""


class Message(NamedTuple):
    """One batch of events, not yet read."""

    number: int
    batch: bytes


class FeedLost(OSError):
    """The connection to the publisher is gone, or could not be made in time."""


class Feed:
    """The sockets of one engine, opened when they are needed."""

    def __init__(self, context: zmq.asyncio.Context, source: Source, settings: KVEventsSettings) -> None:
        self._context = context
        self._source = source
        self._timeout_s = settings.timeout_s
        self._queue = settings.queue

    @asynccontextmanager
    async def live(self) -> AsyncIterator["Live"]:
        """Listen. Raises FeedLost, also when nobody is there."""
        async with AsyncExitStack() as stack:
            subscriber = stack.enter_context(_open(self._context, zmq.SUB))
            subscriber.rcvhwm = self._queue
            subscriber.heartbeat_ivl = _PING_MS
            subscriber.heartbeat_timeout = _SILENCE_MS
            monitor = subscriber.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
            stack.callback(monitor.close)
            stack.callback(subscriber.disable_monitor)
            subscriber.subscribe(self._source.topic.encode())
            subscriber.connect(self._source.endpoint)
            try:
                async with asyncio.timeout(self._timeout_s):
                    event = parse_monitor_message(await monitor.recv_multipart())["event"]
            except TimeoutError:
                raise FeedLost(f"nobody publishes at {self._source.endpoint}") from None
            if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
                raise FeedLost(f"{self._source.endpoint} is no publisher")
            yield Live(subscriber, monitor)

    async def replay(self, first: int) -> AsyncGenerator[Message, None]:
        """What the engine still has from the message number `first` on.

        Raises:
            TimeoutError: the next message, or the mark of the end, did not come in time.
        """
        with _open(self._context, zmq.DEALER) as dealer:
            dealer.rcvhwm = self._queue
            dealer.connect(self._source.replay_endpoint)
            await dealer.send_multipart([b"", _NUMBER.pack(first)])
            while True:
                async with asyncio.timeout(self._timeout_s):
                    message = _message(await dealer.recv_multipart())
                if message is not None and message.number == _END:
                    return
                if message is not None:
                    yield message


class Live:
    """The messages that are published from now on."""

    def __init__(self, subscriber: zmq.asyncio.Socket, monitor: zmq.asyncio.Socket) -> None:
        self._subscriber = subscriber
        self._monitor = monitor
        self._poller = zmq.asyncio.Poller()
        self._poller.register(subscriber, zmq.POLLIN)
        self._poller.register(monitor, zmq.POLLIN)

    async def next(self, patience_s: float) -> Message | None:
        """The next message; None if there is none for `patience_s`. Raises FeedLost."""
        while True:
            ready = dict(await self._poller.poll(patience_s * 1_000))
            if self._monitor in ready:
                raise FeedLost("the connection is gone")
            if self._subscriber not in ready:
                return None
            if (message := _message(await self._subscriber.recv_multipart())) is not None:
                return message


def _message(frames: list[bytes]) -> Message | None:
    """Of a live or a replayed message; None if it is neither."""
    if len(frames) < 2 or len(frames[-2]) != _NUMBER.size:
        return None
    return Message(_NUMBER.unpack(frames[-2])[0], frames[-1])


@contextmanager
def _open(context: zmq.asyncio.Context, kind: int) -> Iterator[zmq.asyncio.Socket]:
    made = context.socket(kind)
    made.linger = 0  # what was not sent when it is closed is not worth waiting for
    try:
        yield made
    finally:
        made.close()
