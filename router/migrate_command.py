"""`--migrate`: brings the database to this version's schema and ends, for a job that runs before the routers do.

Only the database's address is read of the secrets: a job needs no others. Several at once wait for each other, and on
a schema that is the newest, or newer and fit for this version, nothing is done.
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
        revision = asyncio.run(_migrate(config, url))
    except (DatabaseAway, SchemaUnknown) as error:
        raise ConfigError(f"database: {error}") from None
    except ValueError as error:
        raise ConfigError(f"database.url: {error}") from None
    newer = "" if revision == REVISION else f", which is newer than this version's {REVISION} and can be used by it"
    return f"the database has schema {revision}{newer}"


async def _migrate(config: Config, url: str) -> str:
    from router.store.database import open_database

    assert config.database is not None
    async with open_database(url, config.database.limits) as database:
        return await database.migrate()
