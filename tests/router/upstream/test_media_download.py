"""One picture from one URL: what is asked for, what is accepted, and what callers are told of anything else."""

import asyncio
import ssl

import pytest
import trustme

from router.protocol.limits import Limits
from router.upstream.media_result import Result
from tests import fault_behaviours as faults
from tests.faults import Exchange
from tests.router.protocol import pictures
from tests.router.upstream.media_world import (
    FIELD,
    NAME,
    PNG,
    PUBLIC,
    PUBLIC_V6,
    Canary,
    Heard,
    Page,
    Site,
    World,
    fetching,
    picture,
    redirect,
    refused,
    settings,
    wanted,
)
from tests.router.upstream.support import Run, soon

URL = f"http://{NAME}/"
JPEG = pictures.jpeg(640, 480, exif=200_000)


def world_of(site: Site) -> World:
    world = World()
    world.names = {NAME: [[PUBLIC]], "other.example": [["8.8.8.8"]]}
    world.hosts = {PUBLIC: ("127.0.0.1", site.port), "8.8.8.8": ("127.0.0.1", site.port)}
    return world


@pytest.mark.parametrize(
    ("data", "says", "kind"),
    [
        (PNG, "image/png", "png"),
        (JPEG, "image/jpeg", "jpeg"),
        (JPEG, "Image/JPG ; charset=binary", "jpeg"),
        (pictures.gif(9, 9), "image/gif", "gif"),
        (pictures.webp_lossy(9, 9), "image/webp", "webp"),
    ],
)
def test_a_picture_becomes_a_data_url(run: Run, data: bytes, says: str, kind: str) -> None:
    async def main() -> None:
        async with Site({"/": picture(data, says)}) as site:
            url, heard = f"{site.url}/", Heard()
            async with fetching(World(), settings([site.port], allow_addresses=["127.0.0.0/8"]), listener=heard) as f:
                fetched = await f.fetch(wanted(url))
            assert {url: pictures.data_url(data, f"image/{kind}")} == fetched
            assert [(Result.FETCHED, len(data))] == heard.fetches

    run(main())


def test_the_request_says_nothing_of_who_asks() -> None:
    async def main() -> None:
        async with Site({"/a": redirect("http://other.example/b", 307)}) as site:
            site.pages["/b"] = picture(set_cookie="a=b; path=/")
            async with fetching(world_of(site)) as fetcher:
                await fetcher.fetch(wanted(f"{URL}a"))
                await fetcher.fetch(wanted(f"{URL}b"))
                await fetcher.fetch(wanted(f"{URL}c"))
            assert [
                {
                    "host": host,
                    "user-agent": "Tramontane (fetches images for language models)",
                    "accept": "image/png, image/jpeg, image/webp, image/gif",
                    "accept-encoding": "identity",
                    "connection": "close",
                }
                for host in (NAME, "other.example", NAME, NAME)
            ] == [request.headers for request in site.requests]
            assert {"GET"} == {request.method for request in site.requests}
            assert 4 == site.accepted

    asyncio.run(main())


def test_path_and_query_arrive_as_they_were_checked() -> None:
    async def main() -> None:
        async with Site() as site, fetching(world_of(site)) as fetcher:
            await fetcher.fetch(wanted(f"{URL}a//b/../%C3%A9?x=%2F&y=+é"))
        assert ["/a//b/../%C3%A9?x=%2F&y=+%C3%A9"] == [request.path for request in site.requests]

    asyncio.run(main())


def test_a_host_of_ipv6_is_fetched_from() -> None:
    async def main() -> None:
        world = World()
        async with Canary() as server:
            world.names = {NAME: [[PUBLIC_V6]]}
            world.hosts = {PUBLIC_V6: ("::1", server.port)}
            async with fetching(world) as fetcher:
                await fetcher.fetch(wanted(URL))
                await fetcher.fetch(wanted(f"http://[{PUBLIC_V6}]/"))
        assert [PUBLIC_V6, PUBLIC_V6] == world.dialled

    asyncio.run(main())


def cut_off(exchange_body: bytes) -> Page:
    return faults.then_close(faults.head(200, "image/png", content_length=str(len(PNG) + 1)) + exchange_body)


@pytest.mark.parametrize(
    ("page", "result", "error_type", "told"),
    [
        (faults.whole(404, b""), Result.NOT_FOUND, "image_not_found", "no such image"),
        (faults.whole(410, b""), Result.NOT_FOUND, "image_not_found", "no such image"),
        (faults.whole(403, b"secret"), Result.STATUS, "image_download_failed", "status 403"),
        (faults.whole(500, b"secret"), Result.STATUS, "image_download_failed", "status 500"),
        (faults.whole(206, PNG, "image/png"), Result.STATUS, "image_download_failed", "status 206"),
        (faults.whole(204, b""), Result.STATUS, "image_download_failed", "status 204"),
        (faults.whole(304, b""), Result.STATUS, "image_download_failed", "status 304"),
        (picture(PNG, "text/html"), Result.TYPE_REFUSED, "unsupported_image_format", "not a PNG"),
        (picture(PNG, "image/svg+xml"), Result.TYPE_REFUSED, "unsupported_image_format", "not a PNG"),
        (picture(PNG, "application/octet-stream"), Result.TYPE_REFUSED, "unsupported_image_format", "not a PNG"),
        (picture(PNG, ""), Result.TYPE_REFUSED, "unsupported_image_format", "not a PNG"),
        (picture(PNG, "image/jpeg"), Result.TYPE_REFUSED, "unsupported_image_format", "its first bytes do not"),
        (picture(b"<svg>" + PNG), Result.TYPE_REFUSED, "unsupported_image_format", "not a PNG"),
        (picture(b""), Result.TYPE_REFUSED, "unsupported_image_format", "not a PNG"),
        (picture(PNG[:20]), Result.TYPE_REFUSED, "unsupported_image_format", "ends within its header"),
        (picture(content_encoding="gzip"), Result.TYPE_REFUSED, "unsupported_image_format", "compressed"),
        (picture(content_encoding="br, identity"), Result.TYPE_REFUSED, "unsupported_image_format", "compressed"),
        (picture(pictures.png(6_000, 6_000)), Result.TOO_LARGE, "image_too_large", "pixels, this has 6000 x 6000"),
        (picture(PNG + bytes(2_000)), Result.TOO_LARGE, "image_too_large", "at most 1000 bytes"),
        (redirect(""), Result.REDIRECT_REFUSED, "image_download_failed", "redirects more than 3 times"),
        (faults.whole(302, b""), Result.REDIRECT_REFUSED, "image_download_failed", "must name one location"),
        (redirect("/a\r\nlocation: /b"), Result.REDIRECT_REFUSED, "image_download_failed", "must name one location"),
        (faults.whole(300, b"", location="/b"), Result.STATUS, "image_download_failed", "status 300"),
        (faults.closed_before_head, Result.UNREACHABLE, "image_download_failed", "cannot be reached"),
        (faults.garbage, Result.UNREACHABLE, "image_download_failed", "cannot be reached"),
        (cut_off(PNG), Result.UNREACHABLE, "image_download_failed", "cannot be reached"),
        (
            faults.then_close(faults.head(x="y" * 20_000)),
            Result.UNREACHABLE,
            "image_download_failed",
            "cannot be reach",
        ),
    ],
)
def test_what_is_no_picture_is_refused_with_a_type_that_says_why(
    page: Page, result: Result, error_type: str, told: str
) -> None:
    async def main() -> None:
        heard = Heard()
        async with Site({"/": page}) as site:
            async with fetching(world_of(site), limits=Limits(image_bytes=1_000), listener=heard) as fetcher:
                error = await refused(fetcher, URL)
            await site.all_closed()
        assert (error_type, FIELD) == (error.error_type, error.field)
        assert error.status == (404 if error_type == "image_not_found" else 400)
        assert error.message.startswith(f"{FIELD}: ")
        assert told in error.message
        assert "secret" not in error.message
        assert [result] == [result for result, _ in heard.fetches]

    asyncio.run(main())


def test_a_host_that_does_not_exist_and_one_that_refuses_are_told_alike() -> None:
    async def main() -> None:
        async with Site() as site:
            world = world_of(site)
            world.names["nobody.example"] = [["93.184.216.1"]]
            async with fetching(world) as fetcher, Canary() as closed:
                world.hosts["93.184.216.1"] = ("127.0.0.1", closed.port)
                await closed.__aexit__()
                told = {(await refused(fetcher, f"http://{host}.example/")).message for host in ("nobody", "none")}
        assert 1 == len(told)

    asyncio.run(main())


def endless(pieces: bytes, head: bytes) -> Page:
    """Sends on for ever, until the client leaves."""

    async def behaviour(exchange: Exchange) -> None:
        exchange.send(head)
        while True:
            exchange.send(faults.chunk(pieces))
            await exchange.drained()
            await asyncio.sleep(0)

    return behaviour


CHUNKED = faults.head(200, "image/png", transfer_encoding="chunked")


@pytest.mark.parametrize(
    ("begins", "limits", "told"),
    [
        (PNG, Limits(image_bytes=3_000_000), "at most 3000000 bytes"),
        (pictures.png(6_000, 6_000), Limits(), "this has 6000 x 6000"),
        (b"no picture" * 10, Limits(), "not a PNG"),
    ],
)
def test_what_does_not_end_is_read_no_further_than_it_may_be_kept(begins: bytes, limits: Limits, told: str) -> None:
    async def main() -> None:
        heard = Heard()
        async with Site({"/": endless(bytes(65_536), CHUNKED + faults.chunk(begins))}) as site:
            async with fetching(world_of(site), limits=limits, listener=heard) as fetcher:
                assert told in (await refused(fetcher, URL)).message
            await site.all_closed()
        ((_, size),) = heard.fetches
        assert size <= limits.image_bytes

    asyncio.run(main())


def test_a_length_that_is_too_large_is_not_read_at_all() -> None:
    async def main() -> None:
        heard = Heard()
        page = faults.hang(faults.head(200, "image/png", content_length="20971521") + PNG)
        async with Site({"/": page}) as site, fetching(world_of(site), listener=heard) as fetcher:
            assert "at most 20971520 bytes" in (await refused(fetcher, URL)).message
            await site.all_closed()
        assert [(Result.TOO_LARGE, 0)] == heard.fetches

    asyncio.run(main())


def test_all_that_is_arriving_is_bounded() -> None:
    async def main() -> None:
        page, rules = endless(bytes(65_536), CHUNKED + faults.chunk(PNG)), settings(receiving_bytes=1_000_000)
        async with Site({"/": page}) as site, fetching(world_of(site), rules) as fetcher:
            error = await refused(fetcher, URL)
            assert (503, "provider_overloaded", 1.0) == (error.status, error.error_type, error.retry_after_s)
            assert ("receiving_bytes", FIELD) == (error.limit, error.field)
            assert 0 == fetcher.downloads.receiving

    asyncio.run(main())


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(faults.silent, id="no answer"),
        pytest.param(faults.hang(b"HTTP/1.1 100 Continue\r\n\r\n"), id="promises"),
        pytest.param(faults.hang(CHUNKED + faults.chunk(PNG)), id="no end"),
        pytest.param(faults.comments_for_ever(CHUNKED + faults.chunk(PNG), every_s=0.001), id="drip"),
    ],
)
def test_what_takes_too_long_is_given_up(page: Page) -> None:
    async def main() -> None:
        heard = Heard()
        async with Site({"/": page}) as site:
            async with fetching(world_of(site), settings(total_s=0.2), listener=heard) as fetcher:
                error = await soon(refused(fetcher, URL))
            await site.all_closed()
        assert ("image_download_failed", FIELD) == (error.error_type, error.field)
        assert "in time" in error.message
        assert [Result.TIMEOUT] == [result for result, _ in heard.fetches]

    asyncio.run(main())


def test_a_name_server_that_does_not_answer_is_given_up_like_a_host_that_does_not() -> None:
    async def main() -> None:
        async def resolve(host: str, port: int) -> list[str]:
            await asyncio.Event().wait()
            return []

        heard = Heard()
        async with fetching(World(), settings(connect_s=0.1), listener=heard, resolve=resolve) as fetcher:
            assert "in time" in (await soon(refused(fetcher, URL))).message
        assert [(Result.TIMEOUT, 0)] == heard.fetches

    asyncio.run(main())


def test_redirects_are_followed_so_often_and_no_more() -> None:
    async def main() -> None:
        async with Site({f"/{at}": redirect(f"{at + 1}") for at in range(4)}) as site:
            site.pages["/3"] = picture()
            async with fetching(world_of(site)) as fetcher:
                await fetcher.fetch(wanted(f"{URL}0"))
            async with fetching(world_of(site), settings(redirects=2)) as fetcher:
                assert "more than 2 times" in (await refused(fetcher, f"{URL}0")).message
            async with fetching(world_of(site), settings(redirects=0)) as fetcher:
                assert "more than 0 times" in (await refused(fetcher, f"{URL}2")).message
                await fetcher.fetch(wanted(f"{URL}3"))
        assert [*"/0 /1 /2 /3 /0 /1 /2 /2 /3".split()] == [request.path for request in site.requests]

    asyncio.run(main())


def tls_of(ca: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


def test_https_asks_for_the_name_and_checks_its_certificate() -> None:
    async def main() -> None:
        ours, others = trustme.CA(), trustme.CA()
        trusting = ssl.create_default_context()
        ours.configure_trust(trusting)
        names: list[str | None] = []
        for ca, name, is_good in ((ours, NAME, True), (ours, "other.example", False), (others, NAME, False)):
            context = tls_of(ca, name)
            context.sni_callback = lambda _, sni, __: names.append(sni)
            async with Site(tls=context) as site, fetching(world_of(site), tls=trusting) as fetcher:
                if is_good:
                    await fetcher.fetch(wanted(f"https://{NAME}/"))
                    assert NAME == site.requests[0].headers["host"]
                else:
                    assert "cannot be reached" in (await refused(fetcher, f"https://{NAME}/")).message
                    assert [] == site.requests
        assert [NAME] * 3 == names

    asyncio.run(main())


def test_nothing_leads_from_https_to_http() -> None:
    async def main() -> None:
        ca, trusting = trustme.CA(), ssl.create_default_context()
        ca.configure_trust(trusting)
        async with Site({"/": redirect(f"http://{NAME}/b")}, tls=tls_of(ca, NAME)) as site:
            async with fetching(world_of(site), tls=trusting) as fetcher:
                assert "from https to http" in (await refused(fetcher, f"https://{NAME}/")).message
            assert 1 == len(site.requests)

    asyncio.run(main())


def test_the_systems_own_trust_and_resolver_are_used_when_nothing_else_is_given() -> None:
    async def main() -> None:
        async with Site(tls=tls_of(trustme.CA(), "127.0.0.1")) as site:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8", "::1/128"], hosts=("localhost",))
            async with fetching(World(), rules, resolve=None) as fetcher:
                await refused(fetcher, f"https://localhost:{site.port}/")
            assert [] == site.requests

    asyncio.run(main())
