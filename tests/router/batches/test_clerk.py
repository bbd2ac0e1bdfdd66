"""Batches whose requests are in a file: read, run, and answered by files."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from router.batches.ask import Answered
from router.policy.batch import Status
from router.protocol.errors import ApiError, render
from router.store.batch_records import BatchRecord, NewBatch
from router.store.database import Database
from router.store.file_records import NewFile
from router.store.file_writer import FileWriter
from router.store.schema import batch_requests, batches, files
from tests.router.batches.support import CHAT, ME, SETTINGS, Engine, Router, good, until
from tests.router.batches.test_runner import lease_over, with_database


def line(number: int, **values: Any) -> bytes:
    usual = {"custom_id": f"c{number}", "method": "POST", "url": CHAT, "body": {"model": "m", "n": number}}
    return msgspec.json.encode(usual | values)


async def submit(router: Router, content: bytes) -> BatchRecord:
    async with FileWriter(router.files, NewFile("default", "in.jsonl", ME.id)) as writer:
        await writer.write(content)
        file = await writer.end("batch")
    made = await router.batches.create(NewBatch("default", ME.id, CHAT, "", 24, input_file=file.id), active=16)
    loaded = await router.batches.loaded(made.id, 0)
    assert loaded is not None
    return loaded


async def lines(router: Router, file: str | None) -> list[Any]:
    if file is None:
        return []
    content = b"".join([chunk async for chunk in router.files.read(file)])
    return [msgspec.json.decode(each) for each in content.splitlines()]


def test_a_file_of_requests_becomes_files_of_answers_and_of_errors(url: str) -> None:
    async def play(path: str, body: bytes) -> Answered:
        if b'"n":3}' in body:
            return Answered(400, render(ApiError("invalid_request", "not so")), "gen-3")
        return await good(path, body)

    async def use(database: Database) -> None:
        router = Router(database, Engine(play))
        made = await submit(router, b"\r\n".join(line(number) for number in range(200)))  # more than one chunk
        await router.work_off()
        shown = (await router.get(made.id)).shown
        assert (Status.COMPLETED, 200, 199, 1, "m") == (
            shown.status,
            shown.total,
            shown.counts.completed,
            shown.counts.failed,
            shown.model,
        )
        answers, errors = await lines(router, shown.output_file), await lines(router, shown.error_file)
        assert [f"c{number}" for number in range(200) if number != 3] == [each["custom_id"] for each in answers]
        assert {"model": "m", "n": 0} == answers[0]["response"]["body"]["echo"]
        (error,) = errors
        assert ("c3", 400, "gen-3", "not so", None) == (
            error["custom_id"],
            error["response"]["status_code"],
            error["response"]["request_id"],
            error["response"]["body"]["error"]["message"],
            error["error"],
        )
        assert shown.output_file is not None
        output = await router.files.get("default", shown.output_file)
        assert output is not None
        assert ("batch_output", f"{made.id}_output.jsonl") == (output.purpose, output.filename)
        assert output.expires_at is not None
        async with database.reading() as connection:
            assert [] == (await connection.execute(select(batch_requests))).all()
        assert await router.batches.delete("default", made.id)
        assert await router.files.get("default", shown.output_file) is None

    with_database(url, use)


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"\n\n", ["input_file_id: the file has no requests"]),
        (line(1) + b"\nno json\n", ["line 2: must be a JSON object with custom_id, method, url and body"]),
        (line(1) + b"\n" + line(1), ["line 2.custom_id: is that of requests[0] too, and must be unique in the batch"]),
        (line(1, url="/v1/embeddings"), [f"line 1.url: must be the batch's endpoint, {CHAT}"]),
        (line(1, method="GET"), ["line 1.method: must be POST"]),
        (line(1, body={}), ["line 1.body.model: is required"]),
        (b"[]\n" * 5, [f"line {n}: must be a JSON object with custom_id, method, url and body" for n in (1, 2, 3)]),
        (b"\n".join(map(line, range(5))), ["line 5: a batch has at most 4 requests (batches.requests)"]),
        (line(1, body={"model": "m" * 3_000}), ["line 1: a request has at most 2000 bytes (batches.request_bytes)"]),
        (b"x" * 9_000, ["line 1: is longer than 2000 bytes (batches.request_bytes)"]),
        (
            b"\n".join(line(n, body={"model": "m" * 1_500}) for n in range(3)),
            ["line 3: a batch has at most 4000 bytes of bodies (batches.bytes)"],
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_line(url: str, content: bytes, problems: list[str]) -> None:
    async def use(database: Database) -> None:
        small = replace(SETTINGS, requests=4, request_bytes=2_000, bytes=4_000, problems=3)
        router = Router(database, Engine(), settings=small)
        made = await submit(router, content)
        await router.work_off()
        shown = (await router.get(made.id)).shown
        assert (Status.FAILED, problems) == (shown.status, [each.message for each in shown.problems])
        assert [] == await router.results(made.id)

    with_database(url, use)


def test_a_file_that_is_gone_fails_its_batch(url: str) -> None:
    async def use(database: Database) -> None:
        router = Router(database, Engine())
        made = await submit(router, line(1))
        assert made.shown.input_file is not None
        await router.files.delete("default", made.shown.input_file)
        await router.work_off()
        shown = (await router.get(made.id)).shown
        assert (Status.FAILED, "input_file_id: the file is gone") == (shown.status, shown.problems[0].message)

    with_database(url, use)


def test_what_a_router_began_to_load_or_to_end_is_taken_up_by_another(url: str) -> None:
    async def use(database: Database) -> None:
        dead, other = Router(database, Engine(), "dead"), Router(database, Engine(), "other")
        made = await submit(dead, line(0) + b"\n" + line(1))
        assert await dead.steps.take("dead", 60) is not None
        await other.work_off()
        assert Status.VALIDATING is (await other.get(made.id)).shown.status
        await lease_over(database)
        await other.work_off()
        assert Status.COMPLETED is (await other.get(made.id)).shown.status
        # the dead one wakes up in the middle of it: nothing that it says counts
        await dead.steps.begin("dead", made.id, 7, "x")
        assert not await dead.steps.renew("dead", made.id, 60)
        assert not await dead.steps.end("dead", made.id)
        assert 2 == (await other.get(made.id)).shown.total

    with_database(url, use)


def test_who_loses_a_batch_while_it_ends_it_leaves_no_file_behind(url: str) -> None:
    async def use(database: Database) -> None:
        router = Router(database, Engine(), "r1")
        made = await submit(router, line(0))
        for _ in range(2):
            await router.clerk.step()
            await router.runner.step()
            await router.runner.settled()
        assert Status.FINALIZING is (await router.get(made.id)).shown.status
        taken = await router.steps.take("r1", 60)
        assert taken is not None
        async with database.writing() as connection:
            await connection.execute(update(batches).values(holder="other"))
        assert not await router.steps.renew("r1", made.id, 60)
        await router.clerk._end(taken)
        assert Status.FINALIZING is (await router.get(made.id)).shown.status
        async with database.reading() as connection:
            assert ["in.jsonl"] == list((await connection.execute(select(files.c.filename))).scalars())

    with_database(url, use)


def test_a_request_that_is_begun_at_the_last_moment_holds_up_the_end(url: str) -> None:
    async def use(database: Database) -> None:
        router = Router(database, Engine())
        made = await router.make(1)
        await router.clerk.step()
        await router.work.claim("r2", lambda ready: {each.batch: 1 for each in ready}, 60)
        assert await router.batches.cancel("default", made.id) is not None
        async with database.writing() as connection:
            await connection.execute(update(batches).values(holder="r1"))
        assert not await router.steps.end("r1", made.id)

    with_database(url, use)


def test_what_is_old_is_swept(url: str) -> None:
    async def use(database: Database) -> None:
        router = Router(database, Engine(), clock=lambda: 0.0)
        made = await router.make(1)
        await router.work_off()
        unloaded = await router.batches.create(NewBatch("default", ME.id, CHAT, "m", 24), active=16)
        await router.clerk.sweep()
        assert await router.get(made.id)
        async with database.writing() as connection:
            await connection.execute(update(batches).where(batches.c.id == made.id).values(ended_at=1.0))
            await connection.execute(update(batches).where(batches.c.id == unloaded.id).values(created_at=1.0))
        assert 2 == await router.steps.sweep(SETTINGS.keep_s, 3_600)
        assert await router.batches.get("default", made.id) is None

    with_database(url, use)


def test_the_clerk_runs_until_it_is_cancelled(url: str) -> None:
    async def use(database: Database) -> None:
        router = Router(database, Engine())
        made = await router.make(1)
        tasks = [asyncio.create_task(part.run()) for part in (router.clerk, router.runner)]

        async def is_over() -> bool:
            return (await router.get(made.id)).shown.status is Status.COMPLETED

        await until(is_over)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with_database(url, use)
