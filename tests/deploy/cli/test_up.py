import io
import signal
import sys
from pathlib import Path

import pytest

from deploy import settings
from deploy.cli import up
from deploy.cli.screen import Screen
from deploy.cli.session import Interrupted
from deploy.cli.up import welcome
from deploy.local import Options, Replica, Stack, StackFailed


def test_the_welcome_tells_addresses_key_and_examples_to_copy(tmp_path: Path) -> None:
    stack = Stack(Options(folder=tmp_path), lambda doing, passed_s: None)
    stack.cluster = settings.Cluster("http://127.0.0.1:8265", tmp_path / "token")
    stack.replicas = (Replica("replica", "http://127.0.0.1:30000"),)
    said = welcome(stack)
    assert f"base URL   {stack.base_url}\n" in said
    assert f"API key    {stack.api_key}\n" in said
    assert f"{stack.root_url}/metrics (router), http://127.0.0.1:30000/metrics (engine)" in said
    assert f'-H "Authorization: Bearer {stack.api_key}"' in said
    assert f'OpenAI(base_url="{stack.base_url}", api_key="{stack.api_key}")' in said
    assert '{"role": "user", "content": "What is 3 + 4?"}' in said
    assert f"http://127.0.0.1:8265 (token in {tmp_path}/token)" in said


class Watched(Stack):
    """A stack of which nothing runs, and which is watched three times."""

    def __init__(self, folder: Path, end: BaseException) -> None:
        super().__init__(Options(folder=folder), lambda doing, passed_s: None)
        self.cluster = settings.Cluster("http://127.0.0.1:8265", folder / "token")
        self.replicas = (Replica("replica", "http://127.0.0.1:30000"),)
        self._checks = iter([None, None, end])

    def check(self) -> None:
        end = next(self._checks)
        if end is not None:
            raise end


def test_ctrl_c_is_how_it_is_meant_to_end(tmp_path: Path) -> None:
    assert 0 == up.stay(Watched(tmp_path, Interrupted(signal.SIGINT)), Screen(io.StringIO()), check_s=0)


def test_the_death_of_a_part_is_no_good_end(tmp_path: Path) -> None:
    with pytest.raises(StackFailed, match="router ended"):
        up.stay(Watched(tmp_path, StackFailed("router ended")), Screen(io.StringIO()), check_s=0)


def test_the_example_for_the_shell_calls_a_command_that_is_there(tmp_path: Path) -> None:
    stack = Stack(Options(folder=tmp_path), lambda doing, passed_s: None)
    stack.cluster = settings.Cluster("http://127.0.0.1:8265", tmp_path / "token")
    stack.replicas = (Replica("replica", "http://127.0.0.1:30000"),)
    (line,) = (each for each in welcome(stack).splitlines() if each.endswith(" status"))
    assert line.split()[0] in ("tramontane", str(Path(sys.executable).with_name("tramontane")))
    assert Path(sys.executable).with_name("tramontane").exists()
