"""`python -m deploy.chart.download`: fills the claim of weights: what the chart's download job runs.

For each model: list the repository at its revision, fetch what is missing file by file, and mark the folder as whole
(deploy/chart/mark.py). A folder whose mark says what is asked for is left alone, without a word to the hub: a branch
that has moved on does not change files under engines that run. A new pod goes on where the last one ended. The token is
read from a file, and sent to the hub's own host alone.
"""

import argparse
import contextlib
import fcntl
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.chart import mark
from deploy.chart.fetch import PARTS, Broken, Network, is_there, part_of
from deploy.chart.hub import LARGEST_LISTING, File, Listing, choose, file_url, listing_url, read_listing
from deploy.chart.mark import Mark
from deploy.chart.persist import Patience, Tries, World, gib, persist, size_of
from deploy.problem import Problem

LOCK = ".tramontane.lock"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One model."""

    repository: str
    revision: str
    folder: str
    globs: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Wanted":
        """Of JSON. Raises ValueError."""
        told = json.loads(text)
        made = cls(
            str(told["repository"]),
            str(told.get("revision") or "main"),
            str(told["folder"]),
            tuple(told.get("files") or ()),
        )
        if not made.folder.strip(".") or "/" in made.folder:
            raise ValueError(f"no folder: {made.folder!r}")
        return made


def download(wanted: Wanted, endpoint: str, root: Path, world: World) -> None:
    """Bring one model to its folder below `root`. Raises Problem."""
    folder = root / wanted.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, world.tell):
            _fill(wanted, endpoint, folder, world)
    except OSError as error:
        raise Problem(f"{folder}: cannot be written: {error}") from None


def _fill(wanted: Wanted, endpoint: str, folder: Path, world: World) -> None:
    found = mark.read(folder)
    if found and (found.repository, found.revision, found.globs) == (wanted.repository, wanted.revision, wanted.globs):
        world.tell(f"{wanted.folder}: {wanted.repository} at {found.commit[:12]} is there")
        return
    listing = _listing(wanted, endpoint, world)
    files = choose(listing.files, wanted.globs)
    mark.remove(folder)
    missing = []
    for file in files:
        if is_there(file, folder / file.name):
            world.tell(f"{wanted.folder}: {file.name} is there")
        else:
            missing.append(file)
    _require_room(missing, folder)
    for file in missing:
        persist(file, file_url(endpoint, wanted.repository, listing.commit, file.name), folder, world)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    sizes = {file.name: file.size for file in files}
    mark.write(folder, Mark(wanted.repository, wanted.revision, listing.commit, wanted.globs, sizes))
    world.tell(f"{wanted.folder}: {wanted.repository} at {listing.commit[:12]} is whole, {len(files)} files")


def _listing(wanted: Wanted, endpoint: str, world: World) -> Listing:
    url = listing_url(endpoint, wanted.repository, wanted.revision)

    def ask() -> Listing:
        answer = world.open_url(url, {"Accept": "application/json"})
        try:
            body = b""
            while len(body) <= LARGEST_LISTING and (more := answer.read(LARGEST_LISTING)):
                body += more
        except OSError as error:
            raise Broken(f"{url}: {error}") from None
        finally:
            answer.close()
        if len(body) > LARGEST_LISTING:
            raise Problem(f"the hub's answer about {wanted.repository} is longer than {LARGEST_LISTING} bytes")
        return read_listing(body, wanted.repository)

    tries = Tries(world)
    while True:
        try:
            return ask()
        except Broken as broken:
            tries.failed(broken, has_moved=False)


def _require_room(missing: Sequence[File], folder: Path) -> None:
    """Before hours of downloading, and not after."""
    need = sum(file.size - min(size_of(part_of(file, folder)), file.size) for file in missing)
    free = shutil.disk_usage(folder).free
    if need > free:
        raise Problem(
            f"{folder}: {gib(need)} are still to come, and {gib(free)} are free; raise weights.size, or name fewer"
            " files in weights.download.models"
        )


@contextlib.contextmanager
def _alone(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """One job at a time in a folder: an upgrade may start another while the last one's runs."""
    with (folder / LOCK).open("w") as lock:
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                tell(f"{folder.name}: another download is at it; waiting")
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            tell(f"{folder.name}: this volume knows no locks ({error}); going on")
        yield


def _token(path: Path | None) -> str | None:
    """Raises Problem."""
    if path is None:
        return None
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"the token in {path} cannot be read: {type(error).__name__}") from None
    if not token or not token.isprintable() or " " in token:
        raise Problem(f"{path} must hold one token and nothing else")
    return token


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.download", description=__doc__)
    parser.add_argument("--endpoint", default="https://huggingface.co", help="the hub, or a mirror")
    parser.add_argument("--folder", type=Path, required=True, help="below which each model has its own")
    parser.add_argument("--token-file", type=Path, help="with the hub's token")
    parser.add_argument(
        "--model",
        type=Wanted.parse,
        action="append",
        required=True,
        help='JSON: {"repository": …, "revision": …, "folder": …, "files": [globs]}; may be said again',
    )
    given = parser.parse_args(arguments)
    try:
        world = World(Network(_token(given.token_file), Patience().timeout_s))
        for wanted in given.model:
            download(wanted, given.endpoint.rstrip("/"), given.folder, world)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
