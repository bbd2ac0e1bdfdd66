"""A runner and a clerk over a real database, with an engine that is a function and a clock that is moved."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import msgspec

from router.batches.ask import Answered
from router.batches.callers import Callers
from router.batches.clerk import BatchClerk
from router.batches.runner import BatchRunner
from router.batches.settings import BatchSettings
from router.policy.batch import RetrySettings
from router.policy.key import Key
from router.protocol.batch_object import Result
from router.store.batch_records import BatchRecord, NewBatch, NewRequest
from router.store.batch_steps import BatchSteps
from router.store.batch_work import BatchWork
from router.store.batches import BatchStore
from router.store.database import Database
from router.store.files import FileStore
from router.store.files_settings import FilesSettings

ME = Key("config:me", "me")
CHAT = "/v1/chat/completions"
SOON = RetrySettings(backoff_s=1e-6, longest_backoff_s=1e-6)  # the database's clock is the real one
SETTINGS = BatchSettings(poll_s=0.01, lease_s=60.0, retry=SOON)


class NoKeys:
    async def find(self, key_id: str) -> Key | None:
        return None


class Engine:
    """Answers at once, or as `play` says; knows what it was asked, and how much of it at the same time."""

    def __init__(self, play: Callable[[str, bytes], Awaitable[Answered]] | None = None) -> None:
        self._play = play
        self.asked: Counter[bytes] = Counter()
        self.keys: set[Key] = set()
        self.most_at_once: Counter[bytes] = Counter()
        self._now: Counter[bytes] = Counter()

    async def ask(self, path: str, body: bytes, key: Key) -> Answered:
        self.asked[body] += 1
        self.keys.add(key)
        self._now[body] += 1
        self.most_at_once[body] = max(self.most_at_once[body], self._now[body])
        try:
            await asyncio.sleep(0)
            return await (self._play or good)(path, body)
        finally:
            self._now[body] -= 1


async def good(path: str, body: bytes) -> Answered:
    usage = b'"usage":{"prompt_tokens":3,"completion_tokens":2,"cost":0.5}'
    return Answered(200, b'{"echo":' + body + b"," + usage + b"}", "gen-1")


class Router:
    """One of those that share a database."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        name: str = "r1",
        settings: BatchSettings = SETTINGS,
        clock: Callable[[], float] = lambda: 0.0,
        has_room: Callable[[], bool] = lambda: True,
        keys: tuple[Key, ...] = (ME,),
    ) -> None:
        self.batches = BatchStore(database, time.time)
        self.files = FileStore(database, time.time, FilesSettings(chunk_bytes=4_096))
        self.work = BatchWork(database)
        self.steps = BatchSteps(database)
        self.runner = BatchRunner(
            self.work,
            engine.ask,
            Callers(keys, NoKeys(), wall_clock=time.time),
            settings,
            router=name,
            has_room=has_room,
            clock=clock,
            rng=Random(1),
        )
        self.clerk = BatchClerk(self.batches, self.steps, self.files, settings, router=name, clock=clock)

    async def make(self, count: int, *, window_h: int = 24, workspace: str = "default") -> BatchRecord:
        """A batch with its requests."""
        new = NewBatch(workspace, ME.id, CHAT, "m", window_h)
        record = await self.batches.create(new, active=16)
        await self.batches.add(record.id, [NewRequest(n, f"c{n}", b'{"n":%d}' % n) for n in range(count)])
        loaded = await self.batches.loaded(record.id, count)
        assert loaded is not None
        return loaded

    async def get(self, batch: str) -> BatchRecord:
        found = await self.batches.get("default", batch)
        assert found is not None
        return found

    async def results(self, batch: str) -> list[Result]:
        return [result async for result in self.batches.results(batch)]

    async def work_off(self) -> None:
        """Until nothing is left to do."""
        while True:
            moved = await self.clerk.step()
            moved |= await self.runner.step() > 0
            await self.runner.settled()
            if not moved:
                return


def echo(body: bytes) -> object:
    return msgspec.json.decode(body)["echo"]


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await is_so():  # noqa: ASYNC110 - it happens in this loop and in the database
            await asyncio.sleep(0)
