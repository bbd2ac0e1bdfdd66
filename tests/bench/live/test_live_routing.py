"""The whole measurement in small: simulated engines, the real router, and a table at the end."""

import psutil
import pytest

from bench import live_routing


@pytest.mark.parametrize("part", ["trace", "pictures"])
def test_it_prints_a_table_and_leaves_no_process(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    skip = "pictures" if part == "trace" else "trace"
    argv = ["--trace", "generated", "--seconds", "1", "--time-scale", "0.05", "--engines-count", "2", "--skip", skip]
    assert 0 == live_routing.main([*argv, "--balancers", "shadow-price"])
    said = capsys.readouterr().out
    assert "| shadow-price |" in said
    assert ("if it knows text alone" in said) == (part == "pictures")
    assert [] == psutil.Process().children(recursive=True)


def test_a_trace_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == live_routing.main(["--trace", "/nowhere.jsonl"])
    assert "live_routing: no trace '/nowhere.jsonl'" in capsys.readouterr().err


def test_engines_that_do_not_answer_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == live_routing.main(["--engines", "http://127.0.0.1:9"])
    assert "no engine answers at http://127.0.0.1:9" in capsys.readouterr().err
