"""Runs one input and holds it to what is promised of every input: no crash, and little of the processor's time."""

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.targets import run

CORPUS = Path(__file__).parent / "corpus"
LIMIT_S = 0.1  # of the processor, for any input of up to MAX_BYTES
_AGAIN = 3  # runs of what seems too slow: the machine may have been, or its collector


class Slow(AssertionError):
    """An input took longer than LIMIT_S."""


@dataclass(slots=True)
class Watch:
    """Of one target."""

    name: str
    runs: int = 0
    worst_s: float = 0.0
    worst: bytes = field(default=b"", repr=False)

    def feed(self, data: bytes) -> None:
        """Run it. What fails is saved to the corpus, and raised again: from then on it is a test."""
        self.runs += 1
        try:
            taken = self._run(data)
            if taken > LIMIT_S:
                taken = min(self._run(data) for _ in range(_AGAIN))
            if taken > self.worst_s:
                self.worst_s, self.worst = taken, data
            if taken > LIMIT_S:
                raise Slow(f"{taken * 1e3:.0f} ms for {len(data)} bytes")
        except BaseException:
            self._save(data)
            raise

    def _run(self, data: bytes) -> float:
        started = time.process_time()
        run(self.name, data)
        return time.process_time() - started

    def _save(self, data: bytes) -> None:
        folder = Path(os.environ.get("FUZZ_SAVE", CORPUS)) / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def kept(name: str) -> list[Path]:
    """What once broke a target, and what is worth beginning with."""
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())
