"""The command line, and a wrong deployment told before anything starts."""

from pathlib import Path

import pytest

from serving.__main__ import main
from serving.arguments import Arguments
from serving.config import ConfigError, parse

POCKET = {"model": "pocket", "preset": "cpu"}


def arguments(*more: str) -> Arguments:
    return Arguments.parse(["--deployment", "engines.yaml", *more])


def test_the_command_line_wins_over_the_file() -> None:
    found = arguments("--replicas", "2", "--source", "/weights").apply(parse(POCKET, "engines.yaml"))
    assert (2, "/weights") == (found.replicas, found.source)


def test_without_options_the_file_stands() -> None:
    file = parse({**POCKET, "replicas": 3}, "engines.yaml")
    assert file == arguments().apply(file)


def test_a_number_of_replicas_does_not_go_with_autoscaling() -> None:
    scaled = parse({**POCKET, "autoscaling": {"max_replicas": 2}}, "engines.yaml")
    with pytest.raises(ConfigError, match="command line: replicas and autoscaling are both set"):
        arguments("--replicas", "2").apply(scaled)


def test_a_range_of_ports_is_read() -> None:
    assert range(20000, 20011) == arguments("--ports", "20000-20010").ports
    assert range(20000, 20001) == arguments("--ports", "20000").ports


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--replicas", "0", "must be 1 or more"),
        ("--ports", "20010-20000", "must be MIN-MAX, from 1 to 65535"),
        ("--ports", "0-10", "must be MIN-MAX, from 1 to 65535"),
        ("--ports", "70000-70001", "must be MIN-MAX, from 1 to 65535"),
    ],
)
def test_a_wrong_option_is_named(option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(option, value)
    assert 2 == ended.value.code
    assert f"argument {option}: {message}" in capsys.readouterr().err


def test_a_wrong_deployment_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "engines.yaml"
    file.write_text("model: pocket\npreset: h100\n")
    assert 2 == main(["--deployment", str(file)])
    assert "preset: pocket has no preset 'h100'; it has cpu\n" == capsys.readouterr().err


def test_a_wrong_token_is_told_before_anything_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "engines.yaml"
    file.write_text("model: pocket\npreset: cpu\n")
    assert 2 == main(["--deployment", str(file), "--token-file", str(tmp_path / "nowhere")])
    assert "--token-file" in capsys.readouterr().err
