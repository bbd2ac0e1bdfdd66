"""`--migrate`: brings the database to this version's schema and ends, for a job that runs before the routers do.

Only the database's address is read of the secrets: a job needs no others. Several at once wait for each other, and on
a schema that is the newest nothing is done.
"""

import asyncio
import os

from router.config import Config, ConfigError
from router.store.away import DatabaseAway


def migrate(config: Config) -> str:
    """What was done, in a sentence. Raises ConfigError: it could not be, and why."""
    from router.store.migrate import SchemaUnknown
    from router.store.schema import REVISION

    if config.database is None:
        raise ConfigError("database.url is not set: there is nothing to migrate")
    url = config.database.url.read(os.environ)
    try:
        asyncio.run(_migrate(config, url))
    except (DatabaseAway, SchemaUnknown) as error:
        raise ConfigError(f"database: {error}") from None
    except ValueError as error:
        raise ConfigError(f"database.url: {error}") from None
    return f"the database has schema {REVISION}"


async def _migrate(config: Config, url: str) -> None:
    from router.store.database import open_database

    assert config.database is not None
    async with open_database(url, config.database.limits) as database:
        await database.migrate()
