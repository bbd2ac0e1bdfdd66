import subprocess
import sys

import pytest

from deploy.cli.__main__ import COMMANDS, main


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([])
    assert 0 == end.value.code
    said = capsys.readouterr().out
    assert all(f"    {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert 0 == end.value.code
    said = capsys.readouterr().out
    assert "example" in said
    assert f"  tramontane {name}" in said


def test_an_unknown_command_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["ask-me"])
    assert 2 == end.value.code
    assert "choose from up, demo, ask" in capsys.readouterr().err.replace("'", "")


def test_a_problem_is_one_sentence_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["status", "--base-url", "nowhere"])
    assert "tramontane status: not a base URL" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["up", "--replicas", "0"], ["demo", "--port", "65536"], ["up", "--port", "http"]])
def test_a_number_out_of_bounds_is_refused_with_the_bounds(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert 2 == end.value.code
    assert f"argument {words[1]}: '{words[2]}' is no whole number from" in capsys.readouterr().err


def test_asking_for_help_imports_no_engine_and_no_server() -> None:
    code = "import sys\nfrom deploy.cli.__main__ import main\ntry: main(['up', '--help'])\nexcept SystemExit: pass\n"
    code += "print({'ray', 'vllm', 'torch', 'fastapi', 'pydantic', 'PIL', 'yaml'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "set()\n" == done.stderr
