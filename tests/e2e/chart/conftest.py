"""One release for all that is tried here: a start costs one to two minutes and 4 GB an engine."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.chart.release import Release, installed
from tests.postgres import Postgres


@pytest.fixture(scope="package")
def release(cluster: Postgres) -> Iterator[Release]:
    with installed(cluster) as running:
        yield running


# Apart from all other tests, which keep a Ray cluster of their own: probes here must see no other on the machine.
collect_ignore_glob = [] if os.environ.get("REHEARSE") else ["test_*.py"]
