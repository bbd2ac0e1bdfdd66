import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.reload import Reloader
from router.reload_file import ConfigFile, Reading
from router.reload_series import reload_series

POOL: dict[str, Any] = {
    "name": "local",
    "upstream_model": "eyes",
    "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:30000"]},
}
MODEL: dict[str, Any] = {"id": "m/eyes", "context_length": 8192, "pools": [POOL]}


class World:
    """A router that takes what it is given, unless it is told to fail."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "router.yaml"
        self.write()
        file = ConfigFile(self.path, {})
        self.taken: list[Reading] = []
        self.failure: Exception | None = None
        self.on_sleep: Callable[[], object] = lambda: None
        self.now = 1_000.0
        self.reloader = Reloader(file, file.read(), self.take, wall_clock=lambda: self.now, sleep=self.sleep)

    def write(self, **sections: Any) -> None:
        self.path.write_text(json.dumps({"allow_anonymous": True, "models": [MODEL], **sections}))

    async def take(self, reading: Reading) -> None:
        if self.failure is not None:
            raise self.failure
        self.taken.append(reading)

    async def sleep(self, seconds: float) -> None:
        self.on_sleep()

    def look(self, *, is_asked: bool = False) -> None:
        asyncio.run(self.reloader.look(is_asked=is_asked))

    def outcome(self) -> tuple[int, int]:
        return self.reloader.taken, self.reloader.refused


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_file_that_has_not_changed_is_left_alone(world: World) -> None:
    world.look()
    world.look(is_asked=True)
    assert (world.outcome(), world.taken) == ((0, 0), [])


def test_a_changed_file_is_taken_over_once(world: World) -> None:
    world.write(retry={"max_attempts": 5})
    world.now = 1_060.0
    world.look()
    world.look()
    assert [reading.config.retry.max_attempts for reading in world.taken] == [5]
    assert (world.outcome(), world.reloader.taken_at) == ((1, 0), 1_060.0)


def test_two_changes_shortly_after_one_another_end_in_the_second(world: World) -> None:
    world.write(retry={"max_attempts": 5})
    world.look()
    world.write(retry={"max_attempts": 6})
    world.look()
    assert world.reloader.current.config.retry.max_attempts == 6


def test_only_comments_change_nothing_but_the_hash(world: World) -> None:
    before = world.reloader.about()["hash"]
    world.path.write_text(world.path.read_text() + "\n# hello")
    world.look()
    assert (world.outcome(), world.taken) == ((1, 0), [])
    assert world.reloader.about()["hash"] != before


def test_an_invalid_file_is_refused_in_the_words_of_a_start_and_tried_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(retri={"max_attempts": 1})
    world.look()
    world.look()
    told = f"{world.path}: retri: unknown key; did you mean `retry`?"
    assert (world.outcome(), world.taken, world.reloader.refusal) == ((0, 1), [], told)
    assert [record.levelno for record in caplog.records if told in record.message] == [logging.ERROR]
    world.write(retry={"max_attempts": 5})
    world.look()
    assert (world.outcome(), world.reloader.refusal) == ((1, 1), None)


def test_an_invalid_file_is_tried_again_when_somebody_asks(world: World) -> None:
    world.write(retri={"max_attempts": 1})
    world.look()
    world.look(is_asked=True)
    assert world.outcome() == (0, 2)


@pytest.mark.parametrize("failure", [ValueError("it cannot be"), RuntimeError("a mistake of ours")])
def test_what_cannot_be_put_in_force_is_refused(world: World, failure: Exception) -> None:
    before = world.reloader.current
    world.failure = failure
    world.write(retry={"max_attempts": 5})
    world.look()
    assert (world.outcome(), world.reloader.current is before) == ((0, 1), True)
    assert str(failure) in str(world.reloader.refusal)


def test_a_file_that_is_being_written_is_waited_for(world: World) -> None:
    whole = world.path.read_text()
    world.path.write_text(whole[:20])
    world.on_sleep = lambda: world.path.write_text(whole.replace("8192", "4096"))
    world.look()
    assert world.outcome() == (0, 0)
    world.on_sleep = lambda: None
    world.look()
    assert (world.outcome(), world.taken[0].config.models[0].context_length) == ((1, 0), 4096)


def test_nothing_is_waited_for_where_somebody_asks(world: World) -> None:
    world.on_sleep = lambda: pytest.fail("slept")
    world.write(retry={"max_attempts": 5})
    world.look(is_asked=True)
    assert world.outcome() == (1, 0)


def test_what_needs_a_restart_is_told_until_the_file_says_again_what_is_in_force(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(front={"headers": 7}, retry={"max_attempts": 5})
    world.look()
    assert (world.outcome(), world.reloader.needs_restart) == ((1, 0), ("front",))
    assert any("until a restart: front" in record.message for record in caplog.records)
    series = {
        (sample.name, *sample.labels.values()): sample.value
        for family in reload_series(world.reloader, 2)
        for sample in family.samples
    }
    assert series["tramontane_config_needs_restart", "front"] == 1
    assert series["tramontane_config_needs_restart", "listen"] == 0
    assert series["tramontane_config_reloads_total", "taken"] == 1
    assert series[("tramontane_config_former",)] == 2
    world.write(retry={"max_attempts": 5})
    world.look()
    assert world.reloader.needs_restart == ()


def test_it_looks_when_it_is_asked_and_lives_through_everything(world: World) -> None:
    async def main() -> None:
        world.write(reload={"interval_s": None})
        running = asyncio.create_task(world.reloader.run())
        world.reloader.ask()
        async with asyncio.timeout(60):
            while world.reloader.taken < 1:  # noqa: ASYNC110 - a thread reads
                await asyncio.sleep(0)
            world.path.unlink()
            world.reloader.ask()
            while world.reloader.refused < 1:  # noqa: ASYNC110
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())


def test_status_tells_hash_age_and_refusal(world: World) -> None:
    world.now = 1_012.34
    world.write(retri={"max_attempts": 1})
    world.look()
    told = world.reloader.about()
    assert (told["age_s"], told["needs_restart"], len(told["hash"])) == (12.3, [], 16)
    assert "unknown key" in told["refused"]
