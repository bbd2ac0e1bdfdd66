"""Readings of the engines' counters on their way into the database."""

import asyncio
from collections.abc import Sequence

import pytest

from router.policy.catalog import EndpointId
from router.policy.meter import Meter, Reading
from router.store.away import DatabaseAway
from router.store.metering import Metering


class Notes:
    def __init__(self, *, is_away: bool = False) -> None:
        self.is_away = is_away
        self.noted: list[Reading] = []
        self.forgotten: list[float] = []

    async def note(self, router: str, readings: Sequence[Reading]) -> None:
        if self.is_away:
            raise DatabaseAway("the database is away")
        self.noted += readings

    async def forget(self, before: float) -> int:
        self.forgotten.append(before)
        return 0


def meter() -> Meter:
    meter = Meter()
    meter.saw(EndpointId("e"), "local", prompt=7, generation=3, unix_s=1.0)
    return meter


def test_what_was_read_is_written_once() -> None:
    notes = Notes()
    metering = Metering(meter(), notes, "boot", wall_clock=lambda: 4e6)
    asyncio.run(metering.write())
    asyncio.run(metering.write())
    assert [3] == [each.generation for each in notes.noted]


def test_what_could_not_be_written_is_kept_for_the_next_time() -> None:
    notes = Notes(is_away=True)
    metering = Metering(meter(), notes, "boot", wall_clock=lambda: 4e6)
    with pytest.raises(DatabaseAway):
        asyncio.run(metering.write())
    notes.is_away = False
    asyncio.run(metering.write())
    assert 1 == len(notes.noted)


def test_it_goes_on_although_the_database_is_away() -> None:
    notes, naps = Notes(is_away=True), 0

    async def nap(seconds: float) -> None:
        nonlocal naps
        naps += 1
        notes.is_away = naps < 3
        if naps == 4:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Metering(meter(), notes, "boot", wall_clock=lambda: 4e6, sleep=nap).run())
    assert 1 == len(notes.noted)


def test_what_is_older_than_a_month_is_forgotten() -> None:
    notes, naps = Notes(), 0

    async def nap(seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Metering(meter(), notes, "boot", wall_clock=lambda: 4e6, sleep=nap).run())
    assert [4e6 - 35 * 86_400] == notes.forgotten
