"""Pictures that a request only names, through a real router: it fetches them, and engines get data URLs alone."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from tests import fault_behaviours as faults
from tests.integration.conftest import Engine, StartRouter
from tests.router.protocol import pictures
from tests.router.upstream.media_world import FIELD, PNG, Canary, Site, picture, redirect

GIF = pictures.gif(9, 9)
LOOPBACK = ["127.0.0.0/8", "::1/128"]


def naming(*urls: str) -> dict[str, Any]:
    parts = [{"type": "image_url", "image_url": {"url": url, "detail": "high"}} for url in urls]
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *parts]}]}


def media(*ports: int, **more: Any) -> dict[str, Any]:
    return {"enabled": True, "schemes": ["http"], "ports": [*ports], "allow_addresses": LOOPBACK, **more}


def images_of(engine: Engine) -> Sequence[tuple[str, str]]:
    """Of the last request: the URL and the uuid of every image."""
    (message,) = json.loads(engine.requests[-1].body)["messages"]
    parts = [part for part in message["content"] if part["type"] == "image_url"]
    assert {"high"} == {part["image_url"]["detail"] for part in parts}
    return [(part["image_url"]["url"], part["uuid"]) for part in parts]


def as_sent(data: bytes, media_type: str = "image/png") -> tuple[str, str]:
    return json.loads(pictures.data_url(data, media_type)), hashlib.sha256(data).hexdigest()


def test_engines_get_fetched_pictures_as_data_urls(router: StartRouter) -> None:
    async def main() -> None:
        pages = {"/a.png": picture(), "/b": redirect("/b.gif"), "/b.gif": picture(GIF, "image/gif")}
        async with Engine(faults.good_answer) as engine, Site(pages) as site:
            async with router(engine, media=media(site.port)) as r:
                for _ in range(2):  # the second time from the cache
                    a, b = f"{site.url}/a.png", f"{site.url}/b"
                    status, answer = await r.ask(naming(a, b, a))
                    assert (200, "Hello") == (status, answer["choices"][0]["message"]["content"])
                    assert [as_sent(PNG), as_sent(GIF, "image/gif"), as_sent(PNG)] == images_of(engine)
            assert ["/a.png", "/b", "/b.gif"] == sorted(request.path for request in site.requests)
            for request in site.requests:
                assert not {"authorization", "cookie", "referer", "x-forwarded-for"} & {*request.headers}

    asyncio.run(main())


def test_a_stream_with_a_fetched_picture_is_a_stream(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_stream) as engine, Site() as site, router(engine, media=media(site.port)) as r:
            body = json.dumps({"model": "m/eyes", "stream": True, **naming(f"{site.url}/a.png")})
            async with r.session.post(r.url + "/v1/chat/completions", data=body) as response:
                assert (await response.read()).endswith(b"data: [DONE]\n\n")
            assert [as_sent(PNG)] == images_of(engine)

    asyncio.run(main())


def test_nobody_is_led_inside_and_every_error_names_its_field(router: StartRouter) -> None:
    async def main() -> None:
        field = FIELD.replace("[0].image", "[1].image")
        async with Engine(faults.good_answer) as engine, Site() as site, Canary() as canary:
            inside = f"http://127.0.0.1:{canary.port}/latest/meta-data/iam"
            site.pages = {
                "/canary": redirect(inside),
                "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
                "/mapped": redirect(f"http://[::ffff:127.0.0.1]:{site.port}/"),
                "/none": faults.whole(404, b""),
                "/text": faults.whole(200, b"hello", "text/plain"),
                "/large": picture(pictures.png(50_000, 50_000)),
                "/gone": faults.closed_before_head,
            }
            found = {}
            async with router(engine, media=media(site.port)) as r:  # the canary's port is not among those allowed
                for path in site.pages:
                    status, answer = await r.ask(naming(site.url + path))
                    found[path] = (status, answer["error"]["metadata"]["error_type"])
                    assert field == answer["error"]["metadata"]["field"]
                for url in (inside, "http://169.254.169.254/", f"http://localhost:{site.port}/", "https://a.example/"):
                    status, answer = await r.ask(naming(url))
                    assert (400, field) == (status, answer["error"]["metadata"]["field"])
            # and with the port allowed, but not the address
            async with router(engine, media=media(site.port, canary.port, deny_addresses=["127.0.0.1/32"])) as r:
                assert 400 == (await r.ask(naming(inside)))[0]
                assert 400 == (await r.ask(naming(f"http://[::ffff:7f00:1]:{canary.port}/")))[0]
                assert 0 == canary.hits
                assert 200 == (await r.ask(naming(f"http://[::1]:{canary.port}/")))[0]  # it would have been reached
                assert 1 == canary.hits
            assert {
                "/canary": (400, "image_download_failed"),
                "/metadata": (400, "image_download_failed"),
                "/mapped": (400, "image_download_failed"),
                "/none": (404, "image_not_found"),
                "/text": (400, "unsupported_image_format"),
                "/large": (400, "image_too_large"),
                "/gone": (400, "image_download_failed"),
            } == found
            assert 1 == len(engine.requests)

    asyncio.run(main())


def test_nothing_is_fetched_unless_it_is_switched_on(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, Canary() as canary:
            off = {**media(canary.port), "enabled": False}
            for configuration in ({}, {"media": off}):
                async with router(engine, **configuration) as r:
                    status, answer = await r.ask(naming(f"http://127.0.0.1:{canary.port}/a.png"))
                    assert (400, "image_download_failed") == (status, answer["error"]["metadata"]["error_type"])
                    assert "only data URLs are accepted" in answer["error"]["message"]
            assert (0, []) == (canary.hits, engine.requests)

    asyncio.run(main())
