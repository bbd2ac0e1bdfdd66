from collections.abc import Callable

import pytest

from router.batches.settings import BatchSettings
from router.store.files_settings import FilesSettings


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: BatchSettings(requests=0), "requests must be"),
        (lambda: BatchSettings(concurrent=0), "concurrent must be"),
        (lambda: BatchSettings(keep_s=0.0), "keep_s must be"),
        (lambda: BatchSettings(lease_s=1.0), "lease_s must be"),
        (lambda: FilesSettings(files=0), "files must be"),
        (lambda: FilesSettings(chunk_bytes=1), "chunk_bytes must be"),
        (lambda: FilesSettings(unfinished_s=1.0), "unfinished_s must be"),
    ],
)
def test_settings_out_of_range_are_told(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()
