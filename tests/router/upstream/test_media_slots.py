"""Places for fetches, in all and per host."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from router.upstream.media_result import NotFetched, Result
from router.upstream.media_slots import Slots
from tests.router.upstream.support import soon


def test_whoever_leaves_gives_back_the_place_and_what_he_waited_for() -> None:
    async def main() -> None:
        slots = Slots(total=1, per_host=1, wait_s=60)
        async with AsyncExitStack() as first, AsyncExitStack() as last:
            await first.enter_async_context(slots.of("a"))
            leaving = [asyncio.create_task(slots.of(host).__aenter__()) for host in ("a", "b")]
            await asyncio.sleep(0)
            staying = asyncio.create_task(last.enter_async_context(slots.of("b")))
            await asyncio.sleep(0)
            for task in leaving:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            assert 2 == slots.hosts
            await first.aclose()
            await staying  # for which both the host's place and the one in all must be free
            assert 1 == slots.hosts
        assert 0 == slots.hosts

    asyncio.run(soon(main()))


def test_who_waits_for_a_full_host_takes_no_place_from_others() -> None:
    async def main() -> None:
        slots = Slots(total=2, per_host=1, wait_s=60)
        async with slots.of("slow"):
            waiting = asyncio.create_task(slots.of("slow").__aenter__())
            await asyncio.sleep(0)
            async with slots.of("quick"):
                assert 2 == slots.hosts
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting

    asyncio.run(soon(main()))


def test_nobody_waits_longer_than_allowed_and_none_keeps_a_place_by_that() -> None:
    async def main() -> None:
        slots = Slots(total=1, per_host=1, wait_s=0.02)
        async with slots.of("a"):
            for host in "ab":
                with pytest.raises(NotFetched) as caught:
                    await slots.of(host).__aenter__()
                assert (Result.BUSY, "fetches") == (caught.value.result, caught.value.limit)
        async with slots.of("b"):
            assert 1 == slots.hosts

    asyncio.run(soon(main()))
