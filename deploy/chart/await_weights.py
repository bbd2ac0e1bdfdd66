"""`python -m deploy.chart.await_weights`: an engine's pod waits for its weights, and says what for.

With `--repository`: until the download job has marked the folder as whole, as files appear in it one by one. Without:
the folder was filled by somebody else, and must be there. Ends with status 1 when the time is over, so that what is
wrong is seen in the pod's state and not only in an engine that does not come.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.chart import mark
from deploy.chart.fetch import PARTS

LOOK_S = 2.0
TELL_S = 30.0
WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.gguf")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def missing(folder: Path, repository: str | None, revision: str | None) -> str | None:
    """What is still missing, in words; None: nothing."""
    if repository is None:
        if any(any(folder.glob(pattern)) for pattern in WEIGHTS):
            return None
        return f"{folder} holds no weights ({', '.join(WEIGHTS)}); on the claim are: {_names(folder.parent)}"
    found = mark.read(folder)
    if found is None:
        return f"the download job has not finished {folder} yet ({_bytes(folder) / 1024**3:.2f} GiB are there)"
    if (found.repository, found.revision) != (repository, revision):
        return (
            f"{folder} holds {found.repository} at {found.revision}, and {repository} at {revision} is wanted: the"
            " download job has not begun yet, or has failed"
        )
    return None


def wait(look: Callable[[], str | None], seconds: float, clock: Clock, tell: Callable[[str], None]) -> bool:
    """Until nothing is missing. Returns whether that came in time."""
    start = clock.now()
    told = start - TELL_S
    while (what := look()) is not None:
        now = clock.now()
        if now - start >= seconds:
            tell(f"given up after {seconds:.0f} s: {what}")
            return False
        if now - told >= TELL_S:
            tell(f"waiting: {what}")
            told = now
        clock.sleep(LOOK_S)
    return True


def _names(folder: Path) -> str:
    try:
        return ", ".join(sorted(each.name for each in folder.iterdir())[:20]) or "nothing"
    except OSError as error:
        return str(error)


def _bytes(folder: Path) -> int:
    """Of what is whole and what is not."""
    files = [*folder.glob("*"), *(folder / PARTS).glob("*")]
    return sum(each.stat().st_size for each in files if each.is_file())


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.await_weights", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--repository", help="that the download job brings to it")
    parser.add_argument("--revision", default="main")
    parser.add_argument("--seconds", type=float, required=True, help="to wait at most")
    given = parser.parse_args(arguments)

    def look() -> str | None:
        try:
            return missing(given.folder, given.repository, given.revision)
        except OSError as error:  # files come and go while the job runs
            return f"{given.folder}: {error}"

    return 0 if wait(look, given.seconds, clock or Clock(), lambda line: print(line, flush=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
