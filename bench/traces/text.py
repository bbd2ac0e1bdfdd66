"""Lines of a text file that may be compressed."""

import gzip
from pathlib import Path
from typing import TextIO, cast


def opened(path: Path) -> TextIO:
    """Raises OSError when it cannot be read."""
    return (
        cast(TextIO, gzip.open(path, "rt", encoding="utf-8")) if path.suffix == ".gz" else path.open(encoding="utf-8")
    )
