"""What needs the database, put together: keys, budgets, the ledger. Without a database there is none of it.

    requests → spool → writer → database         rows
    database → known keys, lender → requests     ahead of those that need it

Closed in an order that loses nothing: the last rows are written after the last request has ended, then what this router
held of budgets is free, then the spool is closed, for the next router if anything is left in it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from router.api.management import Accounts
from router.config import Config
from router.policy.allowances import Allowances
from router.policy.key import Window
from router.policy.meter import Meter
from router.protocol.entry import Entry
from router.sections import ConfigError, LedgerSection
from router.store.away import DatabaseAway
from router.store.kept_responses import KeptResponses
from router.store.known_keys import KnownKeys
from router.store.known_presets import KnownPresets
from router.store.lender import Lender
from router.store.metering import Metering
from router.store.recent import Recent
from router.store.spool import Spool
from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import Home, make_home
from router.store.writer import LedgerWriter
from router.tasks import stop

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.activity import ActivityStore
    from router.store.batch_steps import BatchSteps
    from router.store.batch_work import BatchWork
    from router.store.batches import BatchStore
    from router.store.credits import CreditStore
    from router.store.files import FileStore
    from router.store.leases import LeaseStore
    from router.store.ledger import LedgerStore
    from router.store.presets import PresetStore

logger = logging.getLogger(__name__)

_GOODBYE_S = 2.0  # for the last word to a database that may be away


@dataclass(frozen=True, slots=True)
class Books:
    """Of a router with a database."""

    accounts: Accounts
    known: KnownKeys
    presets: "PresetStore"
    known_presets: KnownPresets
    lender: Lender
    spool: Spool
    writer: LedgerWriter
    adoption: Adoption
    damaged: DamagedLog
    recent: Recent
    ledger: "LedgerStore"
    activity: "ActivityStore"
    credits: "CreditStore"
    files: "FileStore"
    batches: "BatchStore"
    batch_steps: "BatchSteps"
    batch_work: "BatchWork"
    responses: KeptResponses | None  # None: callers may not have any kept


def take_home(settings: LedgerSection, router: str) -> Home:
    """This router's folder in the spool. Raises ConfigError when it cannot be made."""
    directory = Path(settings.spool.directory)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return make_home(directory, router)
    except OSError as error:
        raise ConfigError(f"ledger.spool.directory: cannot use {directory}: {error.strerror}") from None


@asynccontextmanager
async def open_books(
    config: Config,
    database_url: str,
    home: Home,
    *,
    allowances: Allowances,
    meter: Meter,
    clock: Callable[[], float],
    wall_clock: Callable[[], float],
    rng: Random,
) -> AsyncIterator[Books]:
    """Open the database and the spool, and keep both up to date until the block ends.

    Args:
        home: the spool's folder, whose name is the router's boot id.
        allowances: what requests reserve from.
        meter: what engines tell.
    """
    from router.store.activity import ActivityStore
    from router.store.batch_steps import BatchSteps
    from router.store.batch_work import BatchWork
    from router.store.batches import BatchStore
    from router.store.credits import CreditStore
    from router.store.database import open_database
    from router.store.files import FileStore
    from router.store.guardrails import GuardrailStore
    from router.store.keys import KeyStore
    from router.store.leases import LeaseStore
    from router.store.ledger import LedgerStore, windows_of
    from router.store.meter import MeterStore
    from router.store.presets import PresetStore
    from router.store.responses import ResponseStore
    from router.store.spent_store import SpentStore
    from router.store.workspace_budgets import WorkspaceBudgetStore
    from router.store.workspaces import WorkspaceStore

    assert config.database is not None
    router, ledger = home.boot, config.ledger

    def tell(note: Callable[[Window, int], None], entries: Sequence[Entry]) -> None:
        for entry in entries:
            for window in windows_of(entry) if entry.router == router else ():
                note(window, entry.cost)
        recent.written(entries)

    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(database_url, config.database.limits))
        try:
            await database.migrate()
        except DatabaseAway as away:
            logger.warning("going on without it: %s", away)
        leases = LeaseStore(database)
        damaged = DamagedLog(Path(ledger.spool.directory), router)
        spool = Spool(home, ledger.spool, damaged)
        stack.callback(spool.close)
        recent, rows = Recent(spool, ledger.recent), LedgerStore(database)
        lender = Lender(leases, allowances, router, config.accounts.lending, clock=clock, wall_clock=wall_clock)
        adoption = Adoption(Path(ledger.spool.directory), damaged, on_retired=lender.gone)
        writer = LedgerWriter(
            spool,
            adoption,
            rows,
            damaged,
            ledger.writer,
            adopt_s=ledger.spool.adopt_s,
            wall_clock=wall_clock,
            rng=rng,
            on_written=partial(tell, allowances.written),
            on_dropped=partial(tell, allowances.dropped),
        )
        keys = KeyStore(database, wall_clock)
        known = KnownKeys(keys, config.accounts.known, clock=clock)
        accounts = Accounts(
            keys,
            WorkspaceStore(database, wall_clock),
            WorkspaceBudgetStore(database, wall_clock),
            GuardrailStore(database, wall_clock),
            SpentStore(database, wall_clock),
            known,
        )
        presets = PresetStore(database, wall_clock)
        responses = KeptResponses(ResponseStore(database, wall_clock), config.responses, wall_clock=wall_clock)
        known_presets = KnownPresets(presets, config.accounts.presets, clock=clock)
        books = Books(
            accounts=accounts,
            known=known,
            presets=presets,
            known_presets=known_presets,
            lender=lender,
            spool=spool,
            writer=writer,
            adoption=adoption,
            damaged=damaged,
            recent=recent,
            ledger=rows,
            activity=ActivityStore(database),
            credits=CreditStore(database),
            files=FileStore(database, wall_clock, config.stored_files),
            batches=BatchStore(database, wall_clock),
            batch_steps=BatchSteps(database),
            batch_work=BatchWork(database),
            responses=responses if config.responses.store else None,
        )
        metering = Metering(meter, MeterStore(database), router, wall_clock=wall_clock)
        stack.push_async_callback(_say_goodbye, metering, leases, spool, router)
        # answers that were kept before this was switched off expire all the same
        for part in (writer, known, lender, metering, responses):
            task = asyncio.create_task(part.run())
            task.add_done_callback(_report)
            stack.push_async_callback(stop, [task])
        yield books


def _report(task: "asyncio.Task[None]") -> None:
    """None of them ends by itself; what ends one is a mistake of ours, and somebody must hear of it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("a part of the accounts has ended; restart this router", exc_info=error)


async def _say_goodbye(metering: Metering, leases: "LeaseStore", spool: Spool, router: str) -> None:
    """Nothing of this is needed: leases expire, and the engines' counters go on."""
    with suppress(DatabaseAway, TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await metering.write()
            if spool.pending == 0:
                await leases.retire(router)
