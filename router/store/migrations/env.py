"""Alembic's entry. The connection and its transaction are `router.store.migrate`'s."""

from alembic import context

from router.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
