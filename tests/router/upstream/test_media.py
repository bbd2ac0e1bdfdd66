"""The media fetcher: requests' images side by side, each URL once, and everything given back whoever leaves when."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from router.protocol.errors import ApiError
from router.upstream.media import MediaFetcher, refuse
from router.upstream.media_result import Result
from tests import fault_behaviours as faults
from tests.cancelling import CancelAt
from tests.faults import Exchange
from tests.router.protocol import pictures
from tests.router.upstream.media_world import (
    FIELD,
    NAME,
    PNG,
    PUBLIC,
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
from tests.router.upstream.support import Run, nothing_else_runs, run_on, soon

A, B, C = (f"http://{NAME}/{name}" for name in "abc")
OTHER = pictures.gif(9, 9)


def world_of(site: Site) -> World:
    world = World()
    world.names = {NAME: [[PUBLIC]]}
    world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
    return world


class Held:
    """A page that is answered when the test says so; `waiting` counts who is waiting for it."""

    def __init__(self, page: Page | None = None) -> None:
        self.go = asyncio.Event()
        self.waiting = 0
        self.asked = asyncio.Event()
        self._page = page or picture()

    async def __call__(self, exchange: Exchange) -> None:
        self.waiting += 1
        self.asked.set()
        await self.go.wait()
        self.waiting -= 1
        await self._page(exchange)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - of what happens within the event loop, at once
            await asyncio.sleep(0)


def is_at_rest(fetcher: MediaFetcher) -> bool:
    return (fetcher.flights, fetcher.downloads.receiving, fetcher.downloads.hosts) == (0, 0, 0)


def test_all_images_of_a_request_come_by_their_urls() -> None:
    async def main() -> None:
        heard = Heard()
        pages = {"/a": picture(), "/b": picture(OTHER, "image/gif")}
        async with Site(pages) as site, fetching(world_of(site), listener=heard) as fetcher:
            fetched = await fetcher.fetch(wanted(A, B))
            assert is_at_rest(fetcher)
        assert {A: pictures.data_url(PNG), B: pictures.data_url(OTHER, "image/gif")} == fetched
        assert [(Result.FETCHED, len(OTHER)), (Result.FETCHED, len(PNG))] == sorted(heard.fetches, key=lambda f: f[1])

    asyncio.run(main())


def test_so_many_are_fetched_at_a_time_for_one_request_and_from_one_host() -> None:
    async def main() -> None:
        urls = [f"http://{NAME}/{at}" for at in range(6)]
        for rules, most in (
            (settings(fetches_per_request=2), 2),
            (settings(fetches_per_request=9, fetches_per_host=3), 3),
            (settings(fetches_per_request=9, fetches=1), 1),
        ):
            held = Held()
            async with Site({f"/{at}": held for at in range(6)}) as site, fetching(world_of(site), rules) as fetcher:
                asking = asyncio.create_task(fetcher.fetch(wanted(*urls)))
                await until(lambda: held.waiting == most)  # noqa: B023 - ends before they change
                for _ in range(50):
                    await asyncio.sleep(0)
                assert most == held.waiting
                held.go.set()
                assert urls == [*await soon(asking)]
                assert is_at_rest(fetcher)

    asyncio.run(main())


def test_who_waits_too_long_for_a_place_is_told_to_come_back() -> None:
    async def main() -> None:
        held, heard = Held(), Heard()
        rules = settings(fetches=1, wait_s=0.05)
        async with Site({"/a": held, "/b": picture()}) as site, fetching(world_of(site), rules, listener=heard) as f:
            first = asyncio.create_task(f.fetch(wanted(A)))
            await soon(held.asked.wait())
            error = await soon(refused(f, B))
            assert (503, "provider_overloaded", 1.0) == (error.status, error.error_type, error.retry_after_s)
            assert ("fetches", FIELD) == (error.limit, error.field)
            held.go.set()
            await soon(first)
            await f.fetch(wanted(B))
            assert is_at_rest(f)
        assert [Result.BUSY, Result.FETCHED, Result.FETCHED] == [result for result, _ in heard.fetches]

    asyncio.run(main())


def test_the_first_that_fails_ends_the_others() -> None:
    async def main() -> None:
        held, heard = Held(), Heard()
        async with Site({"/a": held, "/b": faults.whole(404, b"")}) as site:
            async with fetching(world_of(site), listener=heard) as fetcher:
                error = await soon(refused(fetcher, A, B))
                assert ("image_not_found", FIELD.replace("[0].image", "[1].image")) == (error.error_type, error.field)
                await until(lambda: is_at_rest(fetcher))
            await soon(site.all_closed())
        assert {Result.NOT_FOUND, Result.ABANDONED} == {result for result, _ in heard.fetches}

    asyncio.run(main())


def test_what_several_want_at_the_same_time_is_fetched_once() -> None:
    async def main() -> None:
        held, heard = Held(), Heard()
        async with Site({"/a": held}) as site, fetching(world_of(site), listener=heard) as fetcher:
            asking = [asyncio.create_task(fetcher.fetch(wanted(A))) for _ in range(5)]
            await soon(held.asked.wait())
            asking.append(asyncio.create_task(fetcher.fetch(wanted(A))))
            await asyncio.sleep(0)
            held.go.set()
            assert [{A: pictures.data_url(PNG)}] * 6 == await soon(asyncio.gather(*asking))
            assert (1, 1, 0) == (len(site.requests), len(heard.fetches), heard.cache_hits)

    asyncio.run(main())


def test_all_who_wait_for_the_same_are_told_of_its_failure() -> None:
    async def main() -> None:
        held = Held(faults.whole(404, b""))
        async with Site({"/a": held}) as site, fetching(world_of(site)) as fetcher:
            asking = [asyncio.create_task(refused(fetcher, A)) for _ in range(3)]
            await soon(held.asked.wait())
            held.go.set()
            errors = await soon(asyncio.gather(*asking))
            assert ["image_not_found"] * 3 == [error.error_type for error in errors]
            assert 3 == len({id(error) for error in errors})

    asyncio.run(main())


def test_who_leaves_takes_nothing_from_those_who_stay_and_the_last_ends_it() -> None:
    async def main() -> None:
        held, heard = Held(), Heard()
        async with Site({"/a": held}) as site, fetching(world_of(site), listener=heard) as fetcher:
            leaving, staying = (asyncio.create_task(fetcher.fetch(wanted(A))) for _ in range(2))
            await soon(held.asked.wait())
            leaving.cancel()
            with suppress(asyncio.CancelledError):
                await leaving
            held.go.set()
            assert [A] == [*await soon(staying)]

            held.go.clear()
            held.asked.clear()
            last = asyncio.create_task(fetcher.fetch(wanted(A, salt="another")))
            await soon(held.asked.wait())
            last.cancel()
            with suppress(asyncio.CancelledError):
                await last
            await until(lambda: is_at_rest(fetcher))
            await soon(site.all_closed())
        assert [Result.FETCHED, Result.ABANDONED] == [result for result, _ in heard.fetches]

    asyncio.run(main())


def test_one_who_comes_after_the_last_has_left_has_it_fetched_anew() -> None:
    async def main() -> None:
        held = Held()
        async with Site({"/a": held}) as site, fetching(world_of(site)) as fetcher:
            left = asyncio.create_task(fetcher.fetch(wanted(A)))
            await soon(held.asked.wait())
            left.cancel()
            with suppress(asyncio.CancelledError):
                await left
            held.go.set()
            assert [A] == [*await soon(fetcher.fetch(wanted(A)))]
            assert 2 == len(site.requests)

    asyncio.run(main())


PAGES = {"/a": redirect("/b"), "/b": picture(), "/c": picture(OTHER, "image/gif")}


def test_a_download_cancelled_at_any_await_leaves_nothing_behind(run: Run) -> None:
    async def main() -> None:
        async with Site(PAGES) as site:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8"])
            for n in range(1, 100):
                async with fetching(World(), rules) as fetcher:
                    cancelling = CancelAt(fetcher.downloads.get(f"{site.url}/a", lambda count: None), n)
                    with suppress(asyncio.CancelledError):
                        await cancelling
                    task = asyncio.current_task()
                    assert task is not None
                    while task.cancelling():
                        task.uncancel()
                    assert is_at_rest(fetcher)
                await soon(site.all_closed())
                if not cancelling.was_cancelled:
                    break
            assert 4 <= n < 99

    run(main())


def test_a_request_cancelled_at_any_time_leaves_nothing_behind(run: Run) -> None:
    async def main() -> None:
        async with Site(PAGES) as site:
            rules = settings([site.port], allow_addresses=["127.0.0.0/8"])
            urls = f"{site.url}/a", f"{site.url}/c"
            for turns in range(500):
                async with fetching(World(), rules) as fetcher:
                    asking = asyncio.create_task(fetcher.fetch(wanted(*urls)))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    if asking.done():
                        break
                    asking.cancel()
                    with suppress(asyncio.CancelledError):
                        await asking
                    await until(lambda: is_at_rest(fetcher))
                await soon(site.all_closed())
            assert list(urls) == [*asking.result()]

    run(main())


def test_a_fetcher_that_is_closed_ends_what_it_fetches() -> None:
    async def main() -> None:
        held, heard = Held(), Heard()
        async with Site({"/a": held}) as site:
            async with fetching(world_of(site), listener=heard) as fetcher:
                asking = asyncio.create_task(refused(fetcher, A))
                await soon(held.asked.wait())
            assert "could not be fetched" in (await soon(asking)).message
            await soon(site.all_closed())
        assert [Result.ABANDONED] == [result for result, _ in heard.fetches]

    run_on(asyncio.new_event_loop)(main())


def test_a_picture_is_kept_so_long_and_no_longer() -> None:
    async def main() -> None:
        now, heard = [100.0], Heard()
        async with Site() as site, fetching(world_of(site), listener=heard, clock=lambda: now[0]) as fetcher:
            for at, requests in ((0.0, 1), (299.9, 1), (300.0, 2), (599.9, 2)):
                now[0] = 100.0 + at
                await fetcher.fetch(wanted(A))
                assert requests == len(site.requests)
        assert (2, 2) == (heard.cache_hits, len(heard.fetches))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("cache_control", "requests"),
    [("no-store", 2), ("public, No-Store", 2), ("no-cache, private, max-age=0", 1), ("x-no-store", 1)],
)
def test_what_is_not_to_be_stored_is_not(cache_control: str, requests: int) -> None:
    async def main() -> None:
        async with Site({"/a": picture(cache_control=cache_control)}) as site, fetching(world_of(site)) as fetcher:
            for _ in range(2):
                await fetcher.fetch(wanted(A))
            assert requests == len(site.requests)

    asyncio.run(main())


def test_failures_are_not_kept_and_neither_is_anything_without_a_cache() -> None:
    async def main() -> None:
        async with Site({"/a": faults.whole(404, b"")}) as site:
            async with fetching(world_of(site)) as fetcher:
                await refused(fetcher, A)
                site.pages = {}
                await fetcher.fetch(wanted(A))
            async with fetching(world_of(site), settings(cache_bytes=0)) as fetcher:
                await fetcher.fetch(wanted(A))
                await fetcher.fetch(wanted(A))
                assert (0, 0) == (len(fetcher.cache), fetcher.cache.bytes)
            assert 4 == len(site.requests)

    asyncio.run(main())


def test_tenants_that_are_parted_do_not_see_by_the_time_what_others_have_fetched() -> None:
    async def main() -> None:
        held = Held()
        async with Site({"/a": held}) as site, fetching(world_of(site)) as fetcher:
            asking = [asyncio.create_task(fetcher.fetch(wanted(A, salt=salt))) for salt in ("x", "y", "x")]
            await until(lambda: held.waiting == 2)
            held.go.set()
            await soon(asyncio.gather(*asking))
            await fetcher.fetch(wanted(A, salt="z"))
            await fetcher.fetch(wanted(A, salt="x"))
            assert 3 == len(site.requests)
            assert len(pictures.data_url(PNG)) == fetcher.cache.bytes

    asyncio.run(main())


def test_a_request_gets_no_more_bytes_than_it_has_room_for() -> None:
    async def main() -> None:
        large = PNG + bytes(100_000)
        async with Site({"/a": picture(large), "/b": picture(large), "/c": picture(OTHER, "image/gif")}) as site:
            async with fetching(world_of(site), settings(cache_bytes=0)) as fetcher:
                error = await refused(fetcher, A, room=len(large) - 1)
                assert ("image_too_large", FIELD, "body_bytes") == (error.error_type, error.field, error.limit)
                assert "images that are fetched for this request" in error.message
                assert "image_too_large" == (await refused(fetcher, A, B, C, room=2 * len(large))).error_type
                await fetcher.fetch(wanted(A, B, C, room=2 * len(large) + len(OTHER)))
                await until(lambda: is_at_rest(fetcher))
            async with fetching(world_of(site)) as fetcher:
                await fetcher.fetch(wanted(A, room=len(large)))
                assert (
                    "image_too_large" == (await refused(fetcher, A, room=len(large) - 1)).error_type
                )  # from the cache

    asyncio.run(main())


def test_one_without_room_does_not_keep_a_picture_from_others() -> None:
    async def main() -> None:
        go, half = asyncio.Event(), PNG + bytes(1_000)

        async def in_halves(exchange: Exchange) -> None:
            exchange.send(faults.head(200, "image/png", content_length=str(len(half))) + half[:500])
            await go.wait()
            exchange.send(half[500:])

        async with Site({"/a": in_halves}) as site, fetching(world_of(site)) as fetcher:
            rich, poor, broke = (asyncio.create_task(fetcher.fetch(wanted(A, room=room))) for room in (9_999, 600, 100))
            with pytest.raises(ApiError):
                await soon(broke)
            with pytest.raises(ApiError):
                await soon(fetcher.fetch(wanted(A, room=100)))  # who comes later pays for what has come already
            go.set()
            with pytest.raises(ApiError):
                await soon(poor)
            assert [A] == [*await soon(rich)]
            assert 1 == len(site.requests)

    asyncio.run(main())


def test_where_nothing_is_fetched_the_field_is_told() -> None:
    async def main() -> None:
        with pytest.raises(ApiError, match="only data URLs are accepted") as caught:
            await refuse(wanted(A, B))
        assert (400, "image_download_failed", FIELD) == (
            caught.value.status,
            caught.value.error_type,
            caught.value.field,
        )
        await nothing_else_runs()

    asyncio.run(main())
