"""Which parts of the configuration a running router takes over, and which it keeps as they were at its start.

What cannot change is what outlives every configuration: sockets, the database, what was learnt of engines. A new file
that changes such a part is taken over in all else, and the router says that it wants a restart for the rest.
docs/settings.md has the list for people; a test compares the two.
"""

from dataclasses import replace
from functools import reduce
from typing import Any

from router.config import Config, Secrets
from router.sections import Section

NEEDS_RESTART: tuple[str, ...] = (
    "listen",  # sockets
    "front",
    "cors",
    "database",
    "accounts.known",  # what is kept in memory of the database, and its tasks
    "accounts.presets",
    "accounts.lending",
    "ledger",
    "responses",
    "stored_files",
    "batches",
    "quotas.lease",  # what is held of budgets
    "waiting.queue",  # who waits
    "mesh",
    "breaker",  # what was learnt of engines
    "routing.prefix",
    "routing.slow_start",
    "probe.stale_after_s",
    "facts",
    "log.access",
)


def changed_beyond_reload(
    started: Config, started_secrets: Secrets, wanted: Config, wanted_secrets: Secrets
) -> tuple[str, ...]:
    """Of `NEEDS_RESTART`, what the file says otherwise than at the start."""
    changed = {path for path in NEEDS_RESTART if _at(started, path) != _at(wanted, path)}
    if started_secrets.database != wanted_secrets.database:
        changed.add("database")
    if started_secrets.mesh != wanted_secrets.mesh:
        changed.add("mesh")
    return tuple(path for path in NEEDS_RESTART if path in changed)


def in_force(started: Config, wanted: Config) -> Config:
    """What is wanted, as far as it can be without a restart."""
    changes: dict[str, Any] = {}
    for path in NEEDS_RESTART:
        section, _, key = path.partition(".")
        if not key:
            changes[section] = _at(started, path)
        else:
            before = changes.get(section, getattr(wanted, section))
            changes[section] = _with(before, key, _at(started, path))
    return wanted.model_copy(update=changes)


def _with(section: Any, key: str, value: Any) -> Any:
    if isinstance(section, Section):
        return section.model_copy(update={key: value})
    return replace(section, **{key: value})


def _at(config: Config, path: str) -> Any:
    return reduce(getattr, path.split("."), config)
