"""A simulated engine in the test's own event loop, and a client beside it. A thousand times as fast as a real one."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from bench.physics.engine import EngineSettings
from bench.simulator.fleet import Fleet, Place, fleet
from bench.simulator.settings import SimulatorSettings
from tests.router.protocol.pictures import png

FAST = SimulatorSettings(model="m", time_scale=0.001)
SMALL = SimulatorSettings(model="m", time_scale=0.001, engine=EngineSettings(kv_tokens=4096 + 16), max_model_len=4096)
CHAT = "/v1/chat/completions"


class Client:
    """Asks the engines of a fleet."""

    def __init__(self, engines: Fleet, http: httpx.AsyncClient) -> None:
        self.fleet = engines
        self.http = http

    def url(self, path: str, engine: int = 0) -> str:
        return self.fleet.urls[engine] + path

    async def chat(self, text: str = "Hello.", engine: int = 0, **more: Any) -> httpx.Response:
        body = {"model": "m", "max_tokens": 8, "messages": [user(text)], **more}
        return await self.http.post(self.url(CHAT, engine), json=body)

    async def stream(self, text: str = "Hello.", **more: Any) -> bytes:
        return (await self.chat(text, stream=True, stream_options={"include_usage": True}, **more)).content

    async def admin(self, method: str, path: str, body: object = None) -> httpx.Response:
        content = None if body is None else json.dumps(body)
        return await self.http.request(method, self.fleet.admin.listener.url + path, content=content)

    async def engine_state(self, engine: int = 0) -> dict[str, Any]:
        state: dict[str, Any] = (await self.admin("GET", "/admin/state")).json()["engines"][engine]
        return state

    async def until(self, is_so: Callable[[dict[str, Any]], bool], engine: int = 0) -> None:
        """Ask for the engine's state until it is so."""
        async with asyncio.timeout(10):
            while True:
                if is_so(await self.engine_state(engine)):
                    return


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def picture(width: int, height: int, shade: int = 0) -> dict[str, Any]:
    """A part with a picture of that size; each `shade` is another picture."""
    data = base64.b64encode(png(width, height) + bytes([shade])).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def with_engines(work: Callable[[Client], Awaitable[None]], settings: SimulatorSettings = FAST, count: int = 1) -> None:
    """Run `work` against fresh engines."""

    async def main() -> None:
        async with fleet(settings, count, Place()) as engines, httpx.AsyncClient(timeout=10) as http:
            await work(Client(engines, http))

    asyncio.run(main())
