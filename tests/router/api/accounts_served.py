"""The management API behind a real server, in a thread of its own."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn

from tests.router.api.accounts_app import accounts_app


@contextmanager
def served(url: str) -> Iterator[str]:
    """The base URL of a server in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    started, stop = Event(), Event()

    async def serve() -> None:
        async with accounts_app(url) as accounts:
            server = uvicorn.Server(uvicorn.Config(accounts.app, log_level="warning", lifespan="off"))
            serving = asyncio.create_task(server.serve([listener]))
            started.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(30)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    finally:
        stop.set()
        thread.join(30)
        listener.close()
