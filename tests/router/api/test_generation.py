"""Who asks what became of a request, and what it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from router.store.ledger import LedgerStore
from tests.router.api.information_app import CALLER, MANAGER, READER, InformationApp, information_app
from tests.router.openrouter import assert_valid_answer
from tests.router.store.support import entry

Test = Callable[[InformationApp], Awaitable[None]]


def with_app(tmp_path: Path, test: Test) -> None:
    async def run() -> None:
        async with information_app(f"sqlite:///{tmp_path}/router.db") as information:
            await test(information)

    asyncio.run(run())


async def status_of(app: InformationApp, generation: str, secret: str | None = CALLER) -> int:
    async with app.client(secret) as client:
        return (await client.get("/generation", params={"id": generation})).status_code


def test_a_row_is_shown_from_memory_and_from_the_database(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        row = entry(1, key="config:caller", model="a/eyes", provider="local", latency_ms=5)
        app.recent.closed(row)
        async with app.client() as client:
            early = (await client.get("/generation?id=gen-1")).json()
            assert_valid_answer("/generation", early, open_enums=True)
            await LedgerStore(app.database).write([row])
            app.recent.written([row])
            assert early == (await client.get("/generation?id=gen-1")).json()
        assert ("gen-1", 0.001, 5) == tuple(early["data"][name] for name in ("id", "total_cost", "latency"))

    with_app(tmp_path, test)


def test_a_key_sees_its_own_and_a_manager_all(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        app.recent.closed(entry(1, key="config:caller"))
        await LedgerStore(app.database).write([entry(2, key="config:caller")])
        for name in ("gen-1", "gen-2"):
            assert [200, 404, 200, 401] == [
                await status_of(app, name, secret) for secret in (CALLER, READER, MANAGER, None)
            ]

    with_app(tmp_path, test)


def test_what_others_asked_for_is_not_told_from_what_never_was(tmp_path: Path) -> None:
    async def test(app: InformationApp) -> None:
        app.recent.closed(entry(1, key="config:caller"))
        async with app.client(READER) as client:
            others, nothing = [(await client.get(f"/generation?id=gen-{number}")).json() for number in (1, 9)]
        assert others["error"]["message"].replace("gen-1", "") == nothing["error"]["message"].replace("gen-9", "")
        assert others["error"]["metadata"] == nothing["error"]["metadata"]

    with_app(tmp_path, test)


@pytest.mark.parametrize(("generation", "status"), [("", 400), ("x" * 129, 400), ("\0", 404), ("gen-'; --", 404)])
def test_an_id_that_cannot_be_is_refused(tmp_path: Path, generation: str, status: int) -> None:
    async def test(app: InformationApp) -> None:
        assert status == await status_of(app, generation)

    with_app(tmp_path, test)
