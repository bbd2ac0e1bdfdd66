"""The servers and applications that `bench.servers` measures: all read the body, all give the canned answer.

`python -m bench.server_kinds SERVER APPLICATION PORT` serves one of them until it is told to stop.
"""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

from bench.canned import ANSWER, EVENT, INTERVAL_S, TOKENS
from bench.clients import cpu_s

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The same work under every server: read the body, answer at once, or one event each INTERVAL_S."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    stream = scope["path"].endswith("/stream")
    payload = repr(cpu_s()).encode() if scope["path"] == "/cpu" else ANSWER
    headers = [(b"content-type", b"text/event-stream" if stream else b"application/json")]
    if not stream:
        headers.append((b"content-length", str(len(payload)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if stream:
        for _ in range(TOKENS):
            await asyncio.sleep(INTERVAL_S)
            await send({"type": "http.response.body", "body": EVENT, "more_body": True})
        payload = b""
    await send({"type": "http.response.body", "body": payload})


def application(kind: str) -> Any:
    if kind == "function":
        return answer
    import fastapi
    from fastapi import Body, Request, Response
    from fastapi.responses import StreamingResponse

    app = fastapi.FastAPI()

    async def events() -> Any:
        for _ in range(TOKENS):
            await asyncio.sleep(INTERVAL_S)
            yield EVENT

    async def stream() -> Response:
        return StreamingResponse(events(), media_type="text/event-stream")

    async def cpu() -> Response:
        return Response(repr(cpu_s()))

    async def plain(request: Request) -> Response:
        await request.body()
        return Response(ANSWER, media_type="application/json")

    async def checked(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008 (FastAPI's way)
        return {"content": ANSWER.decode(), "model": body["model"]}

    app.post("/stream")(stream)
    app.post("/cpu")(cpu)
    if kind == "route":
        app.router.add_route("/once", plain, methods=["POST"])
    else:
        app.post("/once")(checked)
    return app


def serve(server: str, kind: str, port: int) -> None:
    if server == "granian":
        granian = importlib.import_module("granian.server").Server  # optional: only measured where installed
        constants = importlib.import_module("granian.constants")
        target = f"bench.server_kinds:{kind}_app"
        granian(
            target,
            port=port,
            interface=constants.Interfaces.ASGI,
            loop=constants.Loops.uvloop,
            log_enabled=False,
        ).serve()
        return
    import uvicorn

    _, http, loop = server.split(":")
    uvicorn.run(
        application(kind), host="127.0.0.1", port=port, http=cast(Any, http), loop=cast(Any, loop),
        log_level="error", access_log=False,
    )  # fmt: skip


function_app = answer  # granian imports its application by name


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
