import json
import os
from pathlib import Path
from typing import Any

import pytest

from router.reload_file import ConfigFile, Unsettled, files_of
from router.sections import ConfigError

POOL: dict[str, Any] = {
    "name": "local",
    "upstream_model": "eyes",
    "discovery": {"kind": "ray", "dashboard": "http://r:1", "application": "a", "token": {"file": "/run/token"}},
}
MODEL: dict[str, Any] = {"id": "m/eyes", "context_length": 8192, "pools": [POOL]}


class World:
    def __init__(self, folder: Path) -> None:
        self.key = folder / "key"
        self.key.write_text("sk-1")
        self.path = folder / "router.yaml"
        self.file = ConfigFile(self.path, {})
        self.write()

    def write(self, **sections: Any) -> None:
        keys = [{"name": "me", "secret": {"file": str(self.key)}}]
        self.path.write_text(json.dumps({"keys": keys, "models": [MODEL], **sections}))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_reading_has_the_digest_of_what_it_was_read_from(world: World) -> None:
    reading = world.file.read()
    assert [key.name for key in reading.secrets.keys.values()] == ["me"]
    assert world.file.look() == reading.digest == world.file.digest
    assert "sk-1" not in repr(reading)


def test_a_named_secret_counts_by_its_content_and_not_by_its_time(world: World) -> None:
    digest = world.file.read().digest
    os.utime(world.key, (1, 1))
    assert world.file.look() == digest
    world.key.write_text("sk-2")
    assert world.file.look() != digest
    world.key.unlink()
    gone = world.file.look()
    world.key.write_text("sk-1")
    assert (world.file.look(), gone == digest) == (digest, False)


def test_a_refused_reading_is_known_by_its_digest_and_by_what_it_lacks(world: World) -> None:
    world.file.read()
    world.key.unlink()
    with pytest.raises(ConfigError, match="cannot read the secret file"):
        world.file.read()
    assert world.file.look() == world.file.digest
    world.path.write_text("models: [")
    with pytest.raises(ConfigError, match="is not YAML"):
        world.file.read()
    assert world.file.look() == world.file.digest
    world.key.write_text("sk-1")  # named by the last that could be read
    assert world.file.look() != world.file.digest


def test_a_file_that_changes_while_it_is_read_is_to_be_read_again(world: World) -> None:
    class Rewritten(dict[str, str]):
        """An environment: looked into between the first reading and the last."""

        def get(self, key: str, default: Any = None) -> Any:
            world.path.write_text("models: [")
            return "sk-3"

    world.write(keys=[{"name": "me", "secret": {"env": "KEY"}}])
    with pytest.raises(Unsettled):
        ConfigFile(world.path, Rewritten()).read()


def test_a_database_that_cannot_be_is_refused_before_anything_starts(world: World) -> None:
    world.write(database={"url": {"value": "mysql://x"}})
    with pytest.raises(ConfigError, match=r"database\.url: must begin with sqlite:/// or postgresql://"):
        world.file.read()


def test_large_files_are_known_by_their_size_and_place(world: World) -> None:
    world.key.write_bytes(b"x" * 1_048_577)
    digest = world.file.read().digest
    assert world.file.look() == digest
    world.key.write_bytes(b"y" * 1_048_578)
    assert world.file.look() != digest


def test_what_is_no_file_is_not_read_to_be_known(world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert ConfigFile(pipe, {}).look() == ConfigFile(pipe, {}).look()


def test_files_that_are_named_are_found_wherever_they_are(world: World) -> None:
    world.write(
        accounts={"bootstrap": {"file": "/boot"}},
        database={"url": {"file": "/db"}},
        providers=[
            {"slug": "x", "url": "https://x", "ca_file": "/ca", "headers": {"a": {"file": "/h"}, "b": "c"}},
        ],
        models=[MODEL, {"id": "o", "context_length": 9, "pools": [
            {"name": "p", "provider": "x", "upstream_model": "o", "vocabulary": "/v"}]}],
    )  # fmt: skip
    from router.config import load

    found = {str(path) for path in files_of(load(world.path))}
    assert found == {"/boot", "/db", "/ca", "/h", "/v", str(world.key)}  # and not discovery's token


def test_a_rotated_certificate_is_another_reading(world: World, tmp_path: Path) -> None:
    authority = tmp_path / "ca"
    authority.write_text("")
    world.write(providers=[{"slug": "x", "url": "https://x", "headers": {"a": {"file": str(authority)}}}])
    authority.write_text("one")
    one = world.file.read()
    authority.write_text("two")
    two = world.file.read()
    assert one.certificates != two.certificates
