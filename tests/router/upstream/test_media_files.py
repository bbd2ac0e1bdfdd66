"""PDF documents by URL: through the same gates as pictures, and never taken for one."""

import asyncio

import pytest

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.upstream.media import MediaFetcher, refuse_file
from router.upstream.media_result import Result
from tests import fault_behaviours as faults
from tests.router.upstream.media_world import (
    PNG,
    ROOM,
    Canary,
    Heard,
    Page,
    Site,
    World,
    fetching,
    picture,
    redirect,
    settings,
)
from tests.router.upstream.media_world import refused as refused_picture
from tests.router.upstream.support import Run

PDF = b"%PDF-1.7\n" + b"x" * 5_000
FIELD = "messages[0].content[0].file"


def document(data: bytes = PDF, content_type: str = "application/pdf", **headers: str) -> Page:
    return picture(data, content_type, **headers)


async def refused(fetcher: MediaFetcher, url: str, room: int = ROOM) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await fetcher.fetch_file(url, FIELD, room, "")
    return caught.value


def test_a_document_is_fetched_once_and_its_tenant_finds_it_again(run: Run) -> None:
    async def main() -> None:
        async with Site({"/": document(b"junk\n" + PDF), "/to": redirect("/")}) as site:
            heard, url = Heard(), f"{site.url}/to"
            async with fetching(World(), settings([site.port], allow_addresses=["127.0.0.0/8"]), listener=heard) as f:
                for salt in ("a", "a", "b"):
                    assert b"junk\n" + PDF == await f.fetch_file(url, FIELD, ROOM, salt)
            assert ([(Result.FETCHED, len(PDF) + 5)] * 2, 1) == (heard.fetches, heard.cache_hits)
            assert "application/pdf" == site.requests[0].headers["accept"]

    run(main())


def test_what_is_no_document_is_refused_in_words_of_files(run: Run) -> None:
    async def main() -> None:
        pages = {
            "/picture": picture(),
            "/lies": document(PNG),
            "/late": document(b"x" * 1_024 + PDF),
            "/none": faults.whole(404, b""),
            "/large": document(PDF * 10),
            "/packed": document(content_encoding="gzip"),
            "/away": redirect("http://127.0.0.1:9/"),
        }
        async with Site(pages) as site, Canary() as canary:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8"])
            async with fetching(World(), rules, Limits(file_bytes=20_000)) as f:
                told = {path: await refused(f, site.url + path) for path in pages}
                inside = await refused(f, f"http://127.0.0.1:{canary.port}/")
        assert all(error.field == FIELD and "image" not in error.message.replace("PNG", "") for error in told.values())
        assert {404} == {told["/none"].status}
        assert {400} == {error.status for path, error in told.items() if path != "/none"}
        assert "not a PDF document" in told["/picture"].message
        assert "its first bytes do not" in told["/lies"].message
        assert "its first bytes do not" in told["/late"].message
        assert "at most 20000 bytes, this has more" in told["/large"].message
        assert "invalid_request" == inside.error_type
        assert 0 == canary.hits

    run(main())


def test_a_document_and_a_picture_by_one_url_are_two_things(run: Run) -> None:
    async def main() -> None:
        async with Site({"/": document()}) as site:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8"])
            async with fetching(World(), rules) as f:
                assert PDF == await f.fetch_file(f"{site.url}/", FIELD, ROOM, "")
                assert "unsupported_image_format" == (await refused_picture(f, f"{site.url}/")).error_type

    run(main())


def test_a_document_has_the_requests_room_and_no_more(run: Run) -> None:
    async def main() -> None:
        async with Site({"/": document()}) as site:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8"])
            async with fetching(World(), rules) as f:
                error = await refused(f, f"{site.url}/", room=1_000)
                assert (400, FIELD, "body_bytes") == (error.status, error.field, error.limit)

    run(main())


def test_too_many_fetches_at_a_time_are_told_as_such(run: Run) -> None:
    async def main() -> None:
        async with Site({"/": document()}) as site:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8"], receiving_bytes=1_000)
            async with fetching(World(), rules) as f:
                error = await refused(f, f"{site.url}/")
                assert (503, FIELD) == (error.status, error.field)
                assert error.retry_after_s

    run(main())


def test_nothing_is_fetched_where_that_is_switched_off() -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(refuse_file("https://example.com/a.pdf", FIELD, ROOM, ""))
    assert (400, FIELD) == (caught.value.status, caught.value.field)
