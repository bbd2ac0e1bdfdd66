import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from router.shared import Holder, Shared


class Part:
    def __init__(self) -> None:
        self.closings = 0

    def close(self) -> None:
        self.closings += 1


@asynccontextmanager
async def opened() -> AsyncIterator[Part]:
    part = Part()
    try:
        yield part
    finally:
        part.close()


def keep(holder: Holder, settings: object, name: str = "part") -> Part:
    return holder.keep(name, settings, Part, Part.close)


def test_equal_settings_find_the_same_part_and_others_do_not() -> None:
    shared = Shared()
    one, two = Holder(shared), Holder(shared)
    part = keep(one, [1])
    assert keep(two, [1]) is part
    assert keep(two, [2]) is not part
    assert keep(two, [1], "other") is not part


def test_a_part_is_closed_when_its_last_holder_lets_go() -> None:
    async def main() -> None:
        shared = Shared()
        one, two = Holder(shared), Holder(shared)
        kept, entered = keep(one, 1), await one.open("entered", 1, opened)
        assert keep(two, 1) is kept
        assert await two.open("entered", 1, opened) is entered
        await one.aclose()
        assert (kept.closings, entered.closings) == (0, 0)
        await two.aclose()
        await two.aclose()
        assert (kept.closings, entered.closings) == (1, 1)
        assert len(shared) == 0
        assert keep(one, 1) is not kept

    asyncio.run(main())


def test_two_of_one_name_end_each_by_itself() -> None:
    async def main() -> None:
        shared = Shared()
        one, two = Holder(shared), Holder(shared)
        first, second = keep(one, 1), keep(two, 2)
        await one.aclose()
        assert (first.closings, second.closings) == (1, 0)
        assert keep(Holder(shared), 2) is second

    asyncio.run(main())


def test_who_asks_twice_holds_twice() -> None:
    async def main() -> None:
        shared = Shared()
        holder = Holder(shared)
        part = keep(holder, 1)
        assert keep(holder, 1) is part
        await holder.aclose()
        assert (part.closings, len(shared)) == (1, 0)

    asyncio.run(main())


def test_what_cannot_be_opened_is_not_held() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[Part]:
        raise ValueError("no")
        yield

    async def main() -> None:
        shared = Shared()
        with pytest.raises(ValueError, match="no"):
            await Holder(shared).open("part", 1, broken)
        assert len(shared) == 0

    asyncio.run(main())
