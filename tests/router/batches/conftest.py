"""Batches run on SQLite and on a real PostgreSQL, as the stores do."""

from tests.router.store.conftest import url

__all__ = ["url"]
