import asyncio
from pathlib import Path

import pytest
import yaml

from deploy.cli.__main__ import main
from deploy.cli.ledger import DATABASE_VARIABLE, moment
from router.policy.catalog import EndpointId
from router.policy.meter import Reading
from router.protocol.entry import Entry
from router.store.database import open_database
from router.store.ledger import LedgerStore
from router.store.meter import MeterStore

NOON = moment("2026-11-26T12:00")
TABLE = """\
POOL   ENGINES  LEDGER  EXACT  COUNTED  DIFFERENCE  CUT  ALLOWED  VERDICT
far    -        1,000   1,000  0        -           0    -        not metered
local  2,040    2,010   2,000  10       +30         1    32       ok
"""


def row(number: int, tokens: int, **fields: object) -> Entry:
    usual = {
        "router": "r",
        "key": "k",
        "workspace": "w",
        "kind": "chat",
        "status": "ok",
        "pool": "local",
        "attempts": 1,
    }
    return Entry(**usual | {"id": f"gen-{number}", "created": NOON, "completion_tokens": tokens} | fields)  # type: ignore[arg-type]


def filled(path: Path, *rows: Entry, engines: int) -> str:
    """URL of a database with these rows, and an engine that generated so many tokens."""
    url = f"sqlite:///{path}"

    async def fill() -> None:
        async with open_database(url) as database:
            await LedgerStore(database).write(rows)
            seen = Reading(EndpointId("http://e"), "local", int(NOON * 1e3), 0, 500, 0, 500 + engines, NOON + 60)
            await MeterStore(database).note("r", [seen])

    asyncio.run(fill())
    return url


@pytest.fixture
def url(tmp_path: Path) -> str:
    return filled(
        tmp_path / "router.db",
        row(1, 2_000),
        row(2, 10, is_exact=False, status="cancelled"),
        row(3, 1_000, pool="far"),
        row(4, 0, pool="", status="unavailable", is_exact=False, attempts=0),
        engines=2_040,
    )


def test_a_difference_that_cut_answers_explain_is_well(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["ledger", "check", "--database", url])
    assert TABLE == capsys.readouterr().out


def test_a_difference_that_nothing_explains_is_not(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["ledger", "check", "--database", url, "--slack", "29"])
    assert "AHEAD" in capsys.readouterr().out


def test_a_ledger_that_holds_more_than_engines_counted_is_not_well_unless_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = filled(tmp_path / "other.db", row(1, 100), engines=90)
    assert 1 == main(["ledger", "check", "--database", url])
    assert "BEHIND" in capsys.readouterr().out
    assert 0 == main(["ledger", "check", "--database", url, "--missed", "10"])


def test_a_period_takes_what_arrived_in_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["ledger", "check", "--database", url, "--since", "2026-11-26T13:00", "--until", "2026-11-27"])
    assert "the ledger is empty\n" == capsys.readouterr().out
    assert 0 == main(["ledger", "check", "--database", url, "--since", "2026-11-26T12:00+00:00"])
    assert TABLE == capsys.readouterr().out


def test_what_is_noted_as_spent_is_checked_if_asked_for(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["ledger", "check", "--database", url, "--spending"])
    assert "what the rows cost, in every window" in capsys.readouterr().out


def test_the_configuration_names_the_database(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "keys": [{"name": "me", "secret": {"env": "NOT_SET_AND_NOT_NEEDED"}}],
        "models": [{"id": "m", "context_length": 9, "input_modalities": ["text"], "pools": [_POOL]}],
        "database": {"url": {"env": "ITS_URL"}},
    }
    monkeypatch.setenv("ITS_URL", url)
    path = tmp_path / "router.yaml"
    path.write_text(yaml.safe_dump(config))
    assert 0 == main(["ledger", "check", "--config", str(path)])
    assert TABLE == capsys.readouterr().out
    del config["database"]
    path.write_text(yaml.safe_dump(config))
    assert 1 == main(["ledger", "check", "--config", str(path)])
    assert "names no database" in capsys.readouterr().err
    assert 1 == main(["ledger", "check", "--config", str(tmp_path / "none.yaml")])
    assert "cannot read" in capsys.readouterr().err


_POOL = {
    "name": "local",
    "upstream_model": "m",
    "price": {"prompt": 1.0, "completion": 1.0},
    "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:1"]},
}


def test_the_environment_may_name_it(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    assert 1 == main(["ledger", "check"])
    assert f"Give --config, --database or {DATABASE_VARIABLE}" in capsys.readouterr().err
    monkeypatch.setenv(DATABASE_VARIABLE, url)
    assert 0 == main(["ledger", "check"])


def test_a_database_that_is_none_is_a_problem_and_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == main(["ledger", "check", "--database", f"sqlite:///{tmp_path}/none.db"])
    assert "there is no database" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()
    assert 1 == main(["ledger", "check", "--database", "mysql://canary@h/d"])
    assert "canary" not in (said := capsys.readouterr().err)
    assert "the database's URL must begin with" in said
    assert 1 == main(["ledger", "check", "--database", "postgresql://canary@127.0.0.1:1/d"])
    assert "canary" not in (said := capsys.readouterr().err)
    assert "the database is away: it cannot be reached" in said


def test_a_time_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ledger", "check", "--since", "yesterday"])
    assert "'yesterday' is no time like 2026-11-26" in capsys.readouterr().err
