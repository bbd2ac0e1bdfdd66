"""The mark that a folder of weights is whole: a file that is written last and taken away first.

Engines' pods wait for it, and the job that made it does nothing where it is.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

NAME = ".tramontane.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a folder holds."""

    repository: str
    revision: str  # as it was asked for
    commit: str
    globs: tuple[str, ...]
    sizes: dict[str, int]  # bytes of each file


def read(folder: Path) -> Mark | None:
    """The mark of a folder whose files are all there with their sizes; None: it is not whole."""
    try:
        told = json.loads((folder / NAME).read_text(encoding="utf-8"))
        mark = Mark(
            str(told["repository"]),
            str(told["revision"]),
            str(told["commit"]),
            tuple(told["globs"]),
            dict(told["sizes"]),
        )
        whole = all((folder / name).stat().st_size == size for name, size in mark.sizes.items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return mark if whole else None


def write(folder: Path, mark: Mark) -> None:
    """At once or not at all. Raises OSError."""
    told = {
        "repository": mark.repository,
        "revision": mark.revision,
        "commit": mark.commit,
        "globs": list(mark.globs),
        "sizes": mark.sizes,
    }
    new = folder / f"{NAME}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump(told, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / NAME)


def remove(folder: Path) -> None:
    """Before anything in the folder changes. Raises OSError."""
    (folder / NAME).unlink(missing_ok=True)
