"""The routes of files and batches with what runs them, over a database of their own and an engine that echoes."""

import socket
import time
from asyncio import create_task, gather
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import httpx
import msgspec
import uvicorn

from router.api import batches as batches_api
from router.api import files as files_api
from router.api.batches import BatchDesk
from router.api.room import Room, RoomSettings
from router.batches.ask import Answered
from router.batches.callers import Callers
from router.batches.clerk import BatchClerk
from router.batches.runner import BatchRunner
from router.batches.settings import BatchSettings
from router.policy.key import Key
from router.store.batch_steps import BatchSteps
from router.store.batch_work import BatchWork
from router.store.batches import BatchStore
from router.store.files import FileStore
from router.store.files_settings import FilesSettings
from tests.router.api.accounts_app import BASE, CALLER, AccountsApp, accounts_app
from tests.router.batches.support import Engine

SETTINGS = BatchSettings(poll_s=0.01, requests=50, active=2, submit_bytes=100_000)
FILES = FilesSettings(chunk_bytes=4_096, file_bytes=200_000)


async def complete(path: str, body: bytes) -> Answered:
    """A completion that holds what was asked."""
    answer = {
        "id": "gen-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "native_finish_reason": "stop",
                "logprobs": None,
                "message": {"role": "assistant", "content": "yes", "refusal": None},
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.5},
        "echo": msgspec.Raw(body),
    }
    return Answered(200, msgspec.json.encode(answer), "gen-1")


@dataclass(frozen=True, slots=True)
class BatchesApp:
    accounts: AccountsApp
    clerk: BatchClerk
    runner: BatchRunner
    room: Room

    def client(self, secret: str | None = CALLER) -> httpx.AsyncClient:
        return self.accounts.client(secret)

    async def work_off(self) -> None:
        while await self.clerk.step() or await self.runner.step():
            await self.runner.settled()


@asynccontextmanager
async def batches_app(url: str) -> AsyncIterator[BatchesApp]:
    async with accounts_app(url) as accounts:
        database = accounts.database
        store, files = BatchStore(database, time.time), FileStore(database, time.time, FILES)
        callers = Callers([Key("config:caller", "caller")], accounts.known, wall_clock=time.time)
        room = Room(RoomSettings())
        desk = BatchDesk(store, files, callers, SETTINGS, room)
        for base in (BASE, "/v1"):
            accounts.app.include_router(files_api.routes(accounts.authenticator, files), prefix=base)
            accounts.app.include_router(batches_api.routes(accounts.authenticator, desk), prefix=base)
        steps, work = BatchSteps(database), BatchWork(database)
        clerk = BatchClerk(store, steps, files, SETTINGS, router="r1", clock=time.monotonic)
        runner = BatchRunner(
            work,
            Engine(complete).ask,
            callers,
            SETTINGS,
            router="r1",
            has_room=lambda: True,
            clock=time.monotonic,
            rng=Random(1),
        )
        yield BatchesApp(accounts, clerk, runner, room)


@asynccontextmanager
async def served(app: BatchesApp) -> AsyncIterator[str]:
    """Behind a real server, with its clerk and its runner at work; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app.accounts.app, log_level="warning", lifespan="off"))
    serving = create_task(server.serve([listener]))
    parts = [create_task(part.run()) for part in (app.clerk, app.runner)]
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        for part in parts:
            part.cancel()
        await gather(*parts, return_exceptions=True)
        listener.close()
