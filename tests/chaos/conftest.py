"""A database for each test: SQLite's file, or one of a PostgreSQL cluster that serves them all."""

from pathlib import Path

import pytest

from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tramontane.db'}"
    cluster: Postgres = request.getfixturevalue("cluster")
    return cluster.create()
