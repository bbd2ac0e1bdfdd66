import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.cli.__main__ import main
from tests.deploy.canned import CannedRouter
from tests.router.api.accounts_app import CALLER, MANAGER
from tests.router.api.accounts_served import served

Told = tuple[int, str, str]
Keys = Callable[..., Told]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(f"sqlite:///{tmp_path_factory.mktemp('keys')}/router.db") as address:
        yield address


@pytest.fixture
def keys(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keys:
    """`tramontane keys …` of this router: exit status, output, errors."""
    monkeypatch.setenv("TRAMONTANE_MANAGEMENT_KEY", MANAGER)
    monkeypatch.setenv("TRAMONTANE_BASE_URL", url)

    def run(*arguments: str) -> Told:
        status = main(["keys", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def made(keys: Keys, *arguments: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(keys("create", *arguments, "--json")[1])["data"]
    return found


def test_a_new_key_is_shown_once_with_what_to_do_next(keys: Keys) -> None:
    status, out, _ = keys("create", "team a", "--limit", "50", "--reset", "monthly", "--model", "m/eyes")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].startswith("sk-or-v1-")
    assert lines[1] == "This key is shown once: the router keeps only its hash. Keep it now."
    assert "limit_reset            monthly" in out
    assert "allowed_models         m/eyes" in out
    assert "tramontane ask" in lines[-1]


def test_the_table_shows_every_key_and_no_secret(keys: Keys) -> None:
    listed = made(keys, "listed", "--expires-in", "30")
    disabled = made(keys, "switched off")
    keys("disable", str(disabled["hash"]))
    status, out, _ = keys("list")
    assert status == 0
    row = next(line for line in out.splitlines() if line.startswith("listed "))
    assert row.split()[1:6] == [listed["label"], "inference", "active", "$0.00", "-"]
    assert "switched off" not in out
    assert "disabled" in keys("list", "--all")[1]
    assert str(listed["hash"]) in out
    assert json.loads(keys("list", "--json")[1])[0].keys() >= {"hash", "name", "rates"}


def test_an_empty_workspace_says_how_to_make_a_key(keys: Keys) -> None:
    assert "tramontane keys create" in keys("list", "--workspace", "nowhere")[1]


def test_a_change_leaves_alone_what_it_does_not_name(keys: Keys) -> None:
    key = made(keys, "changing", "--limit", "5", "--requests-per-min", "60", "--priority", "batch")
    shown = json.loads(keys("update", str(key["hash"]), "--concurrent", "3", "--json")[1])
    assert shown["rates"] == {"requests_per_min": 60, "tokens_per_min": None, "concurrent": 3}
    assert (shown["limit"], shown["priority"]) == (5, "batch")
    shown = json.loads(keys("update", str(key["hash"]), "--no-limit", "--name", "changed", "--json")[1])
    assert (shown["limit"], shown["name"]) == (None, "changed")
    assert json.loads(keys("show", str(key["hash"]), "--json")[1]) == shown
    assert "rates                  requests_per_min 60, concurrent 3" in keys("show", str(key["hash"]))[1]
    keys("disable", str(key["hash"]))
    assert json.loads(keys("enable", str(key["hash"]), "--json")[1])["disabled"] is False


def test_deleting_asks_first(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made(keys, "doomed")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    status, _, err = keys("delete", str(key["hash"]))
    assert (status, "confirm with --yes" in err) == (1, True)
    assert keys("delete", str(key["hash"]), "--yes")[:2] == (0, "Deleted.\n")
    assert keys("show", str(key["hash"]))[2] == "tramontane keys: the router answered 404: API key not found\n"


def test_a_key_that_administers_is_told_apart(keys: Keys) -> None:
    _, out, _ = keys("create", "me", "--management")
    assert out.splitlines()[-1] == "It manages keys: set TRAMONTANE_MANAGEMENT_KEY to it."


def test_the_key_may_come_from_a_file(keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAMONTANE_MANAGEMENT_KEY")
    file = tmp_path / "key"
    file.write_text(MANAGER + "\n")
    assert keys("list", "--key-file", str(file))[0] == 0
    assert keys("list", "--key-file", str(tmp_path / "none"))[2].endswith("No such file or directory\n")
    file.write_bytes(b"\xff")
    assert keys("list", "--key-file", str(file))[2].endswith("it is no text\n")


def test_without_a_management_key_it_says_how_to_get_one(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAMONTANE_MANAGEMENT_KEY", CALLER)
    status, _, err = keys("list")
    assert status == 1
    assert "Only management keys" in err
    assert "TRAMONTANE_MANAGEMENT_KEY or --key-file" in err
    monkeypatch.setenv("TRAMONTANE_MANAGEMENT_KEY", " ")
    assert "tramontane keys bootstrap" in keys("list")[2]


def test_nothing_to_change_and_both_ways_are_refused(keys: Keys) -> None:
    assert "nothing to change" in keys("update", "f" * 64)[2]
    assert "cannot both be" in keys("update", "f" * 64, "--limit", "1", "--no-limit")[2]


def test_amounts_that_are_none_are_refused(keys: Keys, capsys: pytest.CaptureFixture[str]) -> None:
    for amount in ("much", "nan", "-1", "1e12"):
        with pytest.raises(SystemExit):
            keys("create", "n", f"--limit={amount}")
        assert "is no amount in US dollars" in capsys.readouterr().err


def test_bootstrap_makes_a_key_and_says_where_to_put_it(keys: Keys) -> None:
    status, out, _ = keys("bootstrap")
    assert status == 0
    assert len(out.splitlines()[0]) == len("sk-or-v1-") + 64
    assert "bootstrap: {env: TRAMONTANE_MANAGEMENT_KEY}" in out
    assert json.loads(keys("bootstrap", "--json")[1]).keys() == {"key"}


def test_a_key_that_would_travel_in_the_open_is_warned_about(keys: Keys) -> None:
    _, _, err = keys("list", "--url", "http://router.invalid")
    assert err.startswith("warning: the management key goes to router.invalid unencrypted; use https\n")


def test_a_redirect_takes_the_key_nowhere(keys: Keys, canned_router: CannedRouter) -> None:
    canned_router.status = 302
    assert "the router answered 302" in keys("list", "--url", canned_router.url)[2]
    assert len(canned_router.asked) == 1
