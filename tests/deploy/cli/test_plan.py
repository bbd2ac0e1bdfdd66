import argparse
import builtins
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import plan
from deploy.problem import Problem


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    plan.add_options(parser)
    return plan.run(parser.parse_args([*argv, "--processes", "1"]))


def test_the_cheapest_fleet_that_keeps_the_promise_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--trace", "generated", "--requests", "300", "--good", "0.9", "--kind", "h200=3.5", "--kind", "h100x2=2.5")
    assert 0 == run(*argv)
    first = capsys.readouterr()
    assert "generated chats" in first.out
    assert "300 requests at 3." in first.out
    assert "90.0% of requests good" in first.out
    lines = first.out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("HARDWARE"))
    rows = [line.split("  ") for line in lines[start + 1 : start + 3]]
    assert {"h200", "h100 x2"} == {row[0] for row in rows}
    assert "Cheapest: " in first.out
    assert "replicas, " in first.err
    assert 0 == run(*argv)
    assert first.out == capsys.readouterr().out


def test_policies_can_be_compared_and_the_curves_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "plan.png"
    argv = ["--trace", "generated", "--requests", "200", "--good", "0.8", "--kind", "h200=3.5", "--plot", str(path)]
    assert 0 == run(*argv, "--policy", "round-robin", "--policy", "shadow-price", "--kv-events", "--shed")
    assert f"Picture: {path}" in capsys.readouterr().out
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(Problem, match=r"plan\.png cannot be written"):
        run(*argv[:-1], str(tmp_path / "nowhere" / "plan.png"))


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Problem, match=r"pip install 'tramontane\[plan\]'"):
        run("--trace", "generated", "--requests", "50", "--good", "0.5", "--kind", "h200=1", "--plot", "x.png")


def test_a_promise_that_nobody_can_keep_ends_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--trace", "generated", "--requests", "100", "--rate", "20", "--kind", "a100=1.5", "--most", "2")
    assert 1 == run(*argv)
    printed = capsys.readouterr().out
    assert "None is enough, even with 2 replicas" in printed
    assert "over 2" in printed
    assert "at 20.0/s" in printed


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--kind", "h100"], "--kind must look like h100=2.5"),
        (["--kind", "b200=9"], "--kind: measured are h100, h200, a100"),
        (["--kind", "h100x4=9"], "--kind: measured are"),
        (["--trace", "nothing"], "no trace 'nothing'"),
        (["--good", "99"], "--good must be above 0 and at most 1"),
        (["--policy", "magic"], "--policy: there is no magic; there are shadow-price, "),
        (["--routers", "0"], "count must be at least 1"),
        (["--pace", "0"], "pace_s must be above 0"),
        (["--most", "0"], "most must be at least 1"),
        (["--speed", "-1"], "factor must be above 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(argv: list[str], complaint: str) -> None:
    with pytest.raises(Problem, match=complaint):
        run("--requests", "20", "--trace", "generated", *argv)


def test_an_empty_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("")
    with pytest.raises(Problem, match="there is no request in it"):
        run("--trace", str(path))


def test_kinds_have_a_label() -> None:
    one = plan.kind_of("h200=3.5")
    assert (plan.Kind("h200", 1, 3.5), "h200", "h200 x2") == (one, one.label, replace(one, tp=2).label)
