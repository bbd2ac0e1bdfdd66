"""The stack's life with fakes in place of engines and router; the real ones are started in tests/e2e."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import Commands, Options, Replica, Stack, StackFailed
from deploy.processes import of_run

FAKES = Path(__file__).parent / "fakes"


@contextmanager
def stack(
    folder: Path, manner: str = "ready", *, replicas: int = 1, found: int = 1, timeout_s: float = 30
) -> Iterator[Stack]:
    """A stack of fakes, not started; stopped at the end.

    Args:
        found: endpoints the router claims to have found.
    """
    made = Stack(
        Options(replicas=replicas, folder=folder, start_timeout_s=timeout_s),
        lambda doing, passed_s: None,
        Commands(
            engines=(sys.executable, str(FAKES / "engines.py"), manner),
            router=(sys.executable, str(FAKES / "router.py"), str(found)),
        ),
    )
    try:
        yield made
    finally:
        made.stop()


def test_a_started_stack_knows_its_addresses(tmp_path: Path) -> None:
    with stack(tmp_path, replicas=2, found=2) as made:
        made.start()
        expected = [Replica("replica-0", "http://127.0.0.1:30000"), Replica("replica-1", "http://127.0.0.1:30001")]
        assert expected == list(made.replicas)
        assert made.base_url == made.root_url + "/api/v1"
        assert made.router_pid in of_run(made.run)
        made.check()


def test_nothing_and_no_secret_is_left_after_stop(tmp_path: Path) -> None:
    with stack(tmp_path) as made:
        made.start()
        assert made.api_key == (made.folder / "api-key").read_text()
        made.stop()
        assert [] == of_run(made.run)
        assert [] == made.left_behind
        texts = [file.read_text() for file in made.folder.iterdir()]
        assert not any(secret in text for text in texts for secret in (made.api_key, made.management_key))


def test_what_the_engines_leave_behind_is_ended_and_told(tmp_path: Path) -> None:
    with stack(tmp_path, "messy") as made:
        made.start()
        made.stop()
        assert 1 == len(made.left_behind)
        assert [] == of_run(made.run)


def test_the_router_must_have_found_every_engine(tmp_path: Path) -> None:
    expected = r"not ready after 1 s \(waiting for the router to find the engines"
    with stack(tmp_path, replicas=2, found=1, timeout_s=1) as made, pytest.raises(StackFailed, match=expected):
        made.start()


def test_engines_that_do_not_come_up_are_told_with_their_reason(tmp_path: Path) -> None:
    said = "^the engines did not come up: DEPLOY_FAILED: no such weights"
    with stack(tmp_path, "failing") as made, pytest.raises(StackFailed, match=said):
        made.start()


def test_engines_that_die_are_told_with_their_last_words(tmp_path: Path) -> None:
    with stack(tmp_path, "dying") as made, pytest.raises(StackFailed, match=r"(?s)exit status 3.*out of memory"):
        made.start()


def test_a_start_that_takes_too_long_is_given_up_with_its_last_step(tmp_path: Path) -> None:
    with stack(tmp_path, "starting", timeout_s=1) as made:
        with pytest.raises(StackFailed, match=r"not ready after 1 s \(engine 1 of 1: loading and warming up\); see"):
            made.start()
        made.stop()
        assert [] == of_run(made.run)


def test_a_part_that_dies_later_is_noticed(tmp_path: Path) -> None:
    with stack(tmp_path) as made:
        made.start()
        made._children[-1].stop()
        with pytest.raises(StackFailed, match=r"router ended \(killed by SIGTERM"):
            made.check()


def test_a_stack_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    with stack(tmp_path) as made:
        made.stop()
        assert [] == list(tmp_path.iterdir())
