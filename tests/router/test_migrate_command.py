"""`--migrate` and `--check`: what a job before the routers does, and what it says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from router.__main__ import main
from router.store.database import open_database
from router.store.schema import REVISION

POOL: dict[str, Any] = {
    "name": "local",
    "upstream_model": "eyes",
    "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:30000"]},
}
MODEL: dict[str, Any] = {"id": "m/eyes", "context_length": 8192, "pools": [POOL]}


class World:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/router.db"
        self._path = folder / "router.yaml"
        self._capsys = capsys

    def run(self, verb: str, **sections: Any) -> tuple[int, str]:
        """Exit code, and what is said."""
        anybody = {} if "database" in sections else {"allow_anonymous": True}  # as the chart's job has it: no keys
        self._path.write_text(json.dumps({"models": [MODEL], **anybody, **sections}))
        code = main(["--config", str(self._path), verb])
        return code, "".join(self._capsys.readouterr())

    def execute(self, statement: str) -> None:
        async def run() -> None:
            async with open_database(self.url) as database, database.writing() as connection:
                await connection.execute(text(statement))

        asyncio.run(run())


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys)


def test_a_database_gets_the_newest_schema_and_keeps_it(world: World) -> None:
    database = {"url": {"value": world.url}}
    for _ in range(2):
        assert (0, f"the database has schema {REVISION}\n") == world.run("--migrate", database=database)


def test_of_the_secrets_only_the_databases_address_is_needed(world: World) -> None:
    keys = [{"name": "me", "secret": {"env": "NOBODY_SETS_THIS"}}]
    assert 0 == world.run("--migrate", database={"url": {"value": world.url}}, keys=keys)[0]
    assert 2 == world.run("--check", keys=keys)[0]


def test_a_schema_of_a_newer_version_is_left_as_it_is(world: World) -> None:
    database = {"url": {"value": world.url}}
    world.run("--migrate", database=database)
    world.execute("UPDATE alembic_version SET version_num = 'from the future'")
    code, told = world.run("--migrate", database=database)
    fit = f"newer than this version's {REVISION} and can be used by it\n"
    assert (0, f"the database has schema from the future, which is {fit}") == (code, told)

    world.execute("DELETE FROM schema_readers")
    code, told = world.run("--migrate", database=database)
    assert (2, True) == (code, "the database's schema is newer than this router" in told)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://nobody:secret@127.0.0.1:9/x", "error: database: the database is away: "),
        ("mysql://x", "error: database.url: must begin with sqlite:/// or postgresql://"),
        (None, "error: database.url is not set: there is nothing to migrate"),
    ],
)
def test_what_cannot_be_migrated_is_told_in_a_sentence(world: World, url: str | None, problem: str) -> None:
    sections = {} if url is None else {"database": {"url": {"value": url}}}
    code, told = world.run("--migrate", **sections)
    assert (2, 1) == (code, told.count("\n"))
    assert told.startswith(problem)
    assert "secret" not in told


def test_a_check_refuses_what_a_start_would(world: World) -> None:
    (world.folder / "file").touch()
    database = {"url": {"value": world.url}}
    assert 0 == world.run("--check", database=database)[0]
    assert "database.url: must begin" in world.run("--check", database={"url": {"value": "mysql://x"}})[1]
    for spool in ("file", "file/below"):
        ledger = {"spool": {"directory": f"{world.folder}/{spool}"}}
        code, told = world.run("--check", database=database, ledger=ledger)
        assert (2, True) == (code, told.startswith("error: ledger.spool.directory: cannot use "))
    code, told = world.run("--check", listen={"tls": {"certificate": "/nowhere", "key": "/nowhere"}})
    assert (2, True) == (code, told.startswith("error: listen.tls: the certificate cannot be used: "))
    assert not (world.folder / "router.db").exists()  # nothing is taken or made
