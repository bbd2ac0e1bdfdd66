"""Requests of batches are sent, tried again, given back, and each has one result."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import update

from router.batches.ask import Answered, AnswerTooLarge
from router.policy.batch import Status
from router.protocol.batch_answer import Used
from router.protocol.errors import ApiError, render
from router.store.away import DatabaseAway
from router.store.batch_records import Claim
from router.store.batch_work import BatchWork
from router.store.database import Database, open_database
from router.store.schema import batch_requests, batches
from tests.router.batches.support import ME, SETTINGS, Engine, Router, echo, good, until
from tests.router.store.support import PATIENT


def with_database(url: str, use: Callable[[Database], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_database(url, PATIENT) as database:
            await use(database)

    asyncio.run(main())


def test_a_batch_runs_and_its_results_are_in_its_order(url: str) -> None:
    async def use(database: Database) -> None:
        engine = Engine()
        router = Router(database, engine)
        made = await router.make(10)
        assert (Status.VALIDATING, 10) == (made.shown.status, made.shown.total)
        await router.work_off()
        ended = (await router.get(made.id)).shown
        assert (Status.COMPLETED, 10, 0) == (ended.status, ended.counts.completed, ended.counts.failed)
        assert Used(30, 0, 20, 0, 5_000_000_000) == ended.used
        results = await router.results(made.id)
        assert [{"n": number} for number in range(10)] == [echo(each.body or b"") for each in results]
        assert ["c0", "c1"] == [each.custom_id for each in results[:2]]
        assert {200} == {each.status_code for each in results}
        assert {ME} == engine.keys
        assert (10, 0, 1) == (router.runner.completed, router.runner.failed, router.clerk.ended)

    with_database(url, use)


def test_while_others_wait_nothing_is_begun(url: str) -> None:
    async def use(database: Database) -> None:
        room = [False]
        engine = Engine()
        router = Router(database, engine, has_room=lambda: room[0])
        made = await router.make(3)
        await router.work_off()
        assert (0, Status.IN_PROGRESS) == (len(engine.asked), (await router.get(made.id)).shown.status)
        room[0] = True
        await router.work_off()
        assert Status.COMPLETED is (await router.get(made.id)).shown.status

    with_database(url, use)


def test_what_waiting_may_cure_is_tried_again_and_what_it_cannot_is_the_result(url: str) -> None:
    answers = {
        b'{"n":0}': [502, 503, 200],
        b'{"n":1}': [400],
        b'{"n":2}': [500] * 9,
    }

    async def play(path: str, body: bytes) -> Answered:
        status = answers[body].pop(0)
        if status == 200:
            return await good(path, body)
        kind = {400: "invalid_request", 500: "server", 502: "provider_unavailable", 503: "provider_overloaded"}[status]
        return Answered(status, render(ApiError(kind, f"because {status}")))

    async def use(database: Database) -> None:
        engine = Engine(play)
        router = Router(database, engine)
        made = await router.make(3)
        for _ in range(20):
            await router.work_off()
        first, second, third = await router.results(made.id)
        assert (200, None) == (first.status_code, first.failure)
        assert second.failure is not None
        assert (400, "invalid_request", "because 400") == (
            second.status_code,
            second.failure.error_type,
            second.failure.message,
        )
        assert third.failure is not None
        assert (500, "server") == (third.status_code, third.failure.error_type)
        assert [3, 1, SETTINGS.retry.attempts] == [engine.asked[b'{"n":%d}' % n] for n in range(3)]
        assert 2 + SETTINGS.retry.attempts - 1 == router.runner.retried
        shown = (await router.get(made.id)).shown
        assert (Status.COMPLETED, 1, 2) == (shown.status, shown.counts.completed, shown.counts.failed)

    with_database(url, use)


def test_a_key_that_is_gone_fails_its_requests_and_not_the_runner(url: str) -> None:
    async def use(database: Database) -> None:
        engine = Engine()
        router = Router(database, engine, keys=())
        made = await router.make(2)
        await router.work_off()
        results = await router.results(made.id)
        assert [(401, "The key of this batch is gone.")] * 2 == [
            (each.status_code, each.failure and each.failure.message) for each in results
        ]
        assert 0 == len(engine.asked)

    with_database(url, use)


def test_unexpected_failures_and_answers_that_are_too_large_are_results_too(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(path: str, body: bytes) -> Answered:
        if body == b'{"n":0}':
            raise AnswerTooLarge
        raise ValueError("nobody foresaw it")

    async def use(database: Database) -> None:
        router = Router(database, Engine(play))
        made = await router.make(2)
        for _ in range(10):
            await router.work_off()
        large, unforeseen = await router.results(made.id)
        assert large.failure is not None
        assert "batches.answer_bytes" in large.failure.message
        assert 500 == unforeseen.status_code

    with_database(url, use)
    assert "nobody foresaw it" in caplog.text


def test_routers_side_by_side_run_each_request_once(url: str) -> None:
    async def use(database: Database) -> None:
        engine = Engine()
        routers = [Router(database, engine, f"r{number}") for number in range(3)]
        made = [await routers[0].make(40) for _ in range(3)]
        await asyncio.gather(*(router.work_off() for router in routers))
        for _ in range(3):
            await routers[0].work_off()
        for batch in made:
            assert list(range(40)) == [each.number for each in await routers[0].results(batch.id)]
            assert Status.COMPLETED is (await routers[0].get(batch.id)).shown.status
        assert {3} == set(engine.asked.values())  # each body is in three batches
        assert 120 == sum(router.runner.completed for router in routers)

    with_database(url, use)


async def lease_over(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(update(batch_requests).values(lease_until=0.0))
        await connection.execute(update(batches).values(lease_until=0.0))


def test_what_a_router_had_begun_that_died_is_begun_anew_when_its_lease_is_over(url: str) -> None:
    async def never(path: str, body: bytes) -> Answered:
        await asyncio.Event().wait()
        raise AssertionError

    async def use(database: Database) -> None:
        now = [0.0]
        dead = Router(database, Engine(never), "dead")
        made = await dead.make(3)
        await dead.clerk.step()
        assert 3 == await dead.runner.step()
        engine = Engine()
        other = Router(database, engine, "other", clock=lambda: now[0])
        now[0] += 1000.0
        await other.work_off()
        assert 0 == len(engine.asked)  # its lease lives
        await lease_over(database)
        now[0] += 1000.0
        await other.work_off()
        await other.work_off()
        assert 3 == len(await other.results(made.id))
        assert (Status.COMPLETED, 3) == ((await other.get(made.id)).shown.status, other.runner.lost)
        # the dead one was only asleep: it finds out, and what it has is worth nothing
        assert set() == await dead.work.renew("dead", 60)
        await dead.runner.stop()
        assert 3 == len(await other.results(made.id))

    with_database(url, use)


def test_an_answer_that_comes_after_somebody_elses_is_not_kept(url: str) -> None:
    go = asyncio.Event()

    async def late(path: str, body: bytes) -> Answered:
        await go.wait()
        return Answered(200, b'"late"')

    async def use(database: Database) -> None:
        now = [0.0]
        slow = Router(database, Engine(late), "slow")
        made = await slow.make(1)
        await slow.clerk.step()
        await slow.runner.step()
        await lease_over(database)
        other = Router(database, Engine(), "other", clock=lambda: now[0])
        now[0] += 1000.0
        await other.work_off()
        go.set()
        await slow.runner.settled()
        (result,) = await other.results(made.id)
        assert (b'"late"' != result.body, 1, 0) == (True, slow.runner.lost, slow.runner.completed)

    with_database(url, use)


def test_a_request_that_ends_every_router_is_given_up(url: str) -> None:
    async def use(database: Database) -> None:
        now = [0.0]
        router = Router(database, Engine(), clock=lambda: now[0])
        made = await router.make(1)
        await router.clerk.step()
        for _ in range(SETTINGS.retry.attempts):
            (work,) = await router.work.claim("dead", lambda ready: {each.batch: 1 for each in ready}, 60)
            await lease_over(database)
            assert 1 == await router.work.sweep()
        await router.work_off()
        (result,) = await router.results(made.id)
        assert result.failure is not None
        assert (None, "server") == (result.status_code, result.failure.error_type)
        assert work.claim.count == SETTINGS.retry.attempts

    with_database(url, use)


def test_a_stopped_router_gives_back_what_it_had_begun(url: str) -> None:
    begun = asyncio.Event()

    async def never(path: str, body: bytes) -> Answered:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def use(database: Database) -> None:
        stopped = Router(database, Engine(never), "stopped")
        made = await stopped.make(2)
        await stopped.clerk.step()
        running = asyncio.create_task(stopped.runner.run())
        await begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert 0 == stopped.runner.running
        other = Router(database, Engine(), "other")
        await other.work_off()
        assert 2 == len(await other.results(made.id))

    with_database(url, use)


def test_a_cancelled_batch_stops_what_runs_and_keeps_what_is_done(url: str) -> None:
    async def play(path: str, body: bytes) -> Answered:
        if body == b'{"n":0}':
            return await good(path, body)
        await asyncio.Event().wait()
        raise AssertionError

    async def use(database: Database) -> None:
        now = [0.0]
        router = Router(database, Engine(play), clock=lambda: now[0])
        made = await router.make(10)
        await router.clerk.step()
        await router.runner.step()

        async def is_one_done() -> bool:
            return router.runner.completed == 1

        await until(is_one_done)
        cancelled = await router.batches.cancel("default", made.id)
        assert cancelled is not None
        assert Status.CANCELLING is cancelled.shown.status
        assert await router.batches.cancel("default", made.id) is None
        assert not await router.clerk.step()  # three run still
        now[0] += SETTINGS.lease_s / 2
        await router.runner.step()
        await router.runner.settled()
        await router.work_off()
        shown = (await router.get(made.id)).shown
        assert (Status.CANCELLED, 1, 9) == (shown.status, shown.counts.completed, shown.counts.failed)
        assert ["batch_cancelled"] * 9 == [
            each.failure.error_type for each in await router.results(made.id) if each.failure
        ]

    with_database(url, use)


def test_a_batch_whose_time_is_over_expires(url: str) -> None:
    async def use(database: Database) -> None:
        router = Router(database, Engine(), has_room=lambda: False)
        made = await router.make(2)
        await router.clerk.step()
        async with database.writing() as connection:
            await connection.execute(update(batches).values(expires_at=1.0))
        await router.work_off()
        shown = (await router.get(made.id)).shown
        assert (Status.EXPIRED, 0, 2) == (shown.status, shown.counts.completed, shown.counts.failed)

    with_database(url, use)


class Gone(BatchWork):
    """Its database is away."""

    async def renew(self, router: str, lease_s: float) -> set[Claim]:
        raise DatabaseAway("gone")

    async def release(self, router: str, claims: Sequence[Claim]) -> None:
        raise DatabaseAway("gone")


def test_a_router_that_cannot_reach_the_database_stops_when_its_lease_is_over(url: str) -> None:
    async def never(path: str, body: bytes) -> Answered:
        await asyncio.Event().wait()
        raise AssertionError

    async def use(database: Database) -> None:
        now = [0.0]
        router = Router(database, Engine(never), clock=lambda: now[0])
        await router.make(1)
        await router.clerk.step()
        await router.runner.step()
        router.runner._work = Gone(database)
        now[0] += SETTINGS.lease_s / 2
        with pytest.raises(DatabaseAway):
            await router.runner.step()
        assert (1, 0) == (router.runner.running, router.runner.lost)
        now[0] += SETTINGS.lease_s
        with pytest.raises(DatabaseAway):
            await router.runner.step()
        await router.runner.settled()
        assert 1 == router.runner.lost

    with_database(url, use)
