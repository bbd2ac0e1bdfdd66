import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import routing
from bench.fleet.work import Work
from bench.routing import Bench, Column, arguments, balancers_table, cell, overload_table, routers_table

LIGHT = Work("generated", 0.5, generated=60, paces=(0.05,))


def test_a_cell_is_mean_and_spread_in_percent() -> None:
    assert "50.0" == cell([0.5])
    assert "50.0 ±14.1" == cell([0.4, 0.6])


def test_every_algorithm_has_a_row_the_default_first() -> None:
    said: list[str] = []
    bench = Bench(2, 1, said.append)
    columns = [Column("light", LIGHT), Column("strict", LIGHT, 0.05)]
    lines = list(balancers_table(bench, columns, is_exact=True))
    assert "|  | light | strict |" == lines[2].splitlines()[0]
    assert [f"| {name} " for name in routing.BALANCERS] == [
        line[: line.index("|", 1)] for line in lines[2].splitlines()[2:]
    ]
    assert "shadow-price" == routing.BALANCERS[0]
    assert 2 * len(routing.BALANCERS) == len(bench.results) == len(said)  # both columns from the same runs
    assert "More of light" == lines[4]


def test_several_routers_are_shown_with_either_knowledge() -> None:
    (table,) = [line for line in routers_table(Bench(1, 1, lambda text: None), [("one", LIGHT)]) if "one" in line]
    assert "| one | 100.0 | 100.0 | 0 |" == table.splitlines()[2]


def test_the_loads_are_those_the_table_promises(tmp_path: Path) -> None:
    columns = routing.columns(tmp_path)
    assert 7 == len(columns)
    assert {("h200", 1, 8), ("h100", 2, 4)} == {(each.work.kind, each.work.tp, each.work.replicas) for each in columns}
    assert [1, 4, 16, 4] == [work.routers.count for _, work in routing.routers(tmp_path)]


@pytest.mark.parametrize("argv", [["--seeds", "0"], ["--tables", "balancers,chairs"]])
def test_arguments_that_cannot_be_are_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(argv)
    assert argv[0] in capsys.readouterr().err


def test_the_command_says_which_traffic_was_used_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "routers", lambda folder: [("one", replace(LIGHT, folder=folder))])
    path = tmp_path / "figures.json"
    argv = ["--quick", "--tables", "routers", "--traces", str(tmp_path), "--processes", "1", "--json", str(path)]
    assert 0 == routing.main(argv)
    printed = capsys.readouterr()
    assert "conversation: generated chats, because" in printed.out
    assert "2 runs in" in printed.out
    assert "1 of 2" in printed.err
    assert {(1.0, False), (1.0, True)} == {(each["goodput"], each["exact"]) for each in json.loads(path.read_text())}


def test_overload_is_shown_with_and_without_shedding(tmp_path: Path) -> None:
    bench = Bench(1, 1, lambda text: None)
    lines = list(overload_table(bench, tmp_path, requests=150))
    assert 4 == len(bench.results)
    assert "×2.5, shedding" in lines[-1]


def test_a_large_fleet_is_shown_with_its_time_and_memory() -> None:
    said: list[str] = []
    lines = list(routing.scale_table(20, 20_001, said.append))
    assert "20 replicas, 20,001 generated requests" in lines[0]
    assert 1 == len(said)
    assert "20,000 of 20,001 requests" in said[0]
