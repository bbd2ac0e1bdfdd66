"""An identity provider on this machine: a discovery document, keys that rotate, and the habit of going away."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from router.protocol.oidc_settings import OidcSettings
from tests.router.protocol.tokens_by_hand import jwk, key_set, rsa_key


class Provider:
    """What it answers may be changed at any time."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: bytes = key_set(jwk(rsa_key()))
        self.discovery: Mapping[str, Any] = {}
        self.status = 200
        self.asked: list[str] = []
        self.arrived = asyncio.Event()
        self.let_go = asyncio.Event()
        self.let_go.set()

    def settings(self, **more: Any) -> OidcSettings:
        return OidcSettings(**({"issuer": self.url, "audience": "tramontane"} | more))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.arrived.set()
        await self.let_go.wait()
        if self.status != 200:
            return web.Response(status=self.status, headers={"location": self.url + "/elsewhere"})
        if request.path == "/.well-known/openid-configuration":
            return web.json_response({"issuer": self.url, "jwks_uri": self.url + "/keys"} | dict(self.discovery))
        return web.Response(body=self.keys)


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        made.let_go.set()
        await runner.cleanup()
