"""Azure's LLM inference traces (github.com/Azure/AzurePublicDataset, 2023; Patel et al., Splitwise, ISCA'24).

Columns TIMESTAMP, ContextTokens, GeneratedTokens; nothing of what the prompts share.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bench.traces.arrival import Arrival
from bench.traces.text import opened


def read(path: Path, seed: int) -> Iterator[Arrival]:
    """The whole file; `seed` changes nothing. Raises ValueError naming the line that cannot be understood."""
    began: datetime | None = None
    with opened(path) as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            try:
                at = datetime.fromisoformat(row["TIMESTAMP"][:26])  # Azure has seven digits of a second, Python six
                prompt, output = int(row["ContextTokens"]), int(row["GeneratedTokens"])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: not a request of Azure's: {error!r}") from None
            began = began or at
            yield Arrival((at - began).total_seconds(), max(1, prompt), max(1, output))
