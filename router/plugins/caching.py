"""Answers one request out of the response cache, or records its answer for the next."""

from collections.abc import Awaitable, Callable

from router.company import Client
from router.plugins.recording import RecordingClient
from router.plugins.response_cache import CachedAnswer, ResponseCache
from router.protocol.plugins.replay import Name, replay_stream, replay_whole


async def replay(answer: CachedAnswer, name: Name, client: Client) -> None:
    """Give an answer once more, under its own name."""
    if answer.is_stream:
        data = replay_stream(answer.data, answer.name, name)
        await client.start(stream=True, length=None)
        await client.write(data, more=True)
        await client.write(b"", more=False)
        return
    data = replay_whole(answer.data, name)
    await client.start(stream=False, length=len(data))
    await client.write(data, more=False)


async def recorded(
    cache: ResponseCache,
    key: bytes,
    client: Client,
    answer: Callable[[Client], Awaitable[None]],
    kept: Callable[[bytes, bool], CachedAnswer | None],
) -> None:
    """Let a request be answered, and keep the answer.

    Args:
        cache: where.
        key: by which name.
        client: who asked.
        answer: answers to the client that it is given.
        kept: of the answer's bytes and whether it is a stream, what is to be kept; None: it was not good.
    """
    recording = RecordingClient(client, cache)
    try:
        await answer(recording)
        data = recording.data
        if data is not None and (whole := kept(data, recording.is_stream)) is not None:
            cache.put(key, whole)
    finally:
        recording.close()
