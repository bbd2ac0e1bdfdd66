import re
from pathlib import Path
from typing import Any

import pytest

from router.config import Config, Secrets, parse
from router.reload_sections import NEEDS_RESTART, changed_beyond_reload, in_force

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
POOL: dict[str, Any] = {
    "name": "local",
    "upstream_model": "eyes",
    "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:30000"]},
}
MODEL: dict[str, Any] = {"id": "m/eyes", "context_length": 8192, "pools": [POOL]}
NOTHING = Secrets({})


def config(**sections: Any) -> Config:
    return parse({"allow_anonymous": True, "models": [MODEL], **sections}, source="test")


def documented() -> dict[str, tuple[str, set[str]]]:
    """By section: what the table says, and the keys that it names."""
    table = DOCS.read_text().partition("What a reload takes over:")[2].partition("\n\nA changed section")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    return {row[0]: (row[1], set(re.findall(r"`(\w+)`", row[2]))) for row in rows[2:]}


def test_every_section_is_documented_as_it_is() -> None:
    keys = {section: {path.split(".")[1] for path in NEEDS_RESTART if path.startswith(f"{section}.")}
            for section in Config.model_fields}  # fmt: skip
    expected = {
        section: "needs a restart" if section in NEEDS_RESTART else "in part" if keys[section] else "taken over"
        for section in Config.model_fields
    }
    told = documented()
    assert {section: word for section, (word, _) in told.items()} == expected
    assert {section: told[section][1] for section in told if expected[section] == "in part"} == {
        section: names for section, names in keys.items() if names
    }


def test_what_needs_a_restart_is_named_once_and_only_if_it_differs() -> None:
    started = config()
    assert changed_beyond_reload(started, NOTHING, config(deadlines={"total_s": 9}), NOTHING) == ()
    wanted = config(waiting={"queue": {"capacity": 9}, "room_s": 1}, listen={"port": 9, "drain_s": 3})
    assert changed_beyond_reload(started, NOTHING, wanted, NOTHING) == ("listen", "waiting.queue")


@pytest.mark.parametrize(
    ("secrets", "section"), [(Secrets({}, database="sqlite:///x"), "database"), (Secrets({}, mesh=b"x" * 16), "mesh")]
)
def test_a_secret_of_such_a_section_counts_too(secrets: Secrets, section: str) -> None:
    assert changed_beyond_reload(config(), NOTHING, config(), secrets) == (section,)


def test_in_force_is_what_is_wanted_but_for_what_cannot_be() -> None:
    started = config(front={"headers": 7}, probe={"stale_after_s": 7, "interval_s": 7})
    wanted = config(
        front={"headers": 8},
        probe={"stale_after_s": 8, "interval_s": 8},
        quotas={"concurrent": 8, "lease": {"ahead": 8}},
        retry={"max_attempts": 2},
    )
    mixed = in_force(started, wanted)
    assert (mixed.front.headers, mixed.probe.stale_after_s, mixed.probe.interval_s) == (7, 7, 8)
    assert (mixed.quotas.concurrent, mixed.quotas.lease) == (8, started.quotas.lease)
    assert (mixed.retry, wanted.front.headers) == (wanted.retry, 8)
    assert in_force(started, started) == started
