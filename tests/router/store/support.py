"""What tests of stores need: a database that is open, entries, and a moment in time."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from router.policy.key import Interval, Window
from router.protocol.entry import Entry
from router.store.database import Database, open_database
from router.store.guardrails import GuardrailStore
from router.store.key_records import NewKey
from router.store.keys import KeyStore
from router.store.leases import LeaseStore
from router.store.ledger import LedgerStore
from router.store.meter import MeterStore
from router.store.settings import DatabaseSettings
from router.store.sums import SumStore
from router.store.workspace_budgets import WorkspaceBudgetStore
from router.store.workspaces import WorkspaceStore

T = TypeVar("T")

NOW = 1_795_651_200.0  # Thursday, 26 November 2026, 00:00 UTC
PATIENT = DatabaseSettings(statement_s=60, call_s=90, wait_s=60)  # a busy machine is no failure


class Stores:
    """All of one database, as one router has them. Time stands still unless it is moved."""

    def __init__(self, database: Database) -> None:
        numbers = count(1)
        self.database = database
        self.now = NOW
        self.keys = KeyStore(database, self.clock)
        self.workspaces = WorkspaceStore(database, self.clock, lambda: f"workspace-{next(numbers)}")
        self.budgets = WorkspaceBudgetStore(database, self.clock, lambda: f"budget-{next(numbers)}")
        self.guardrails = GuardrailStore(database, self.clock, lambda: f"guardrail-{next(numbers)}")
        self.ledger = LedgerStore(database)
        self.leases = LeaseStore(database)
        self.meter = MeterStore(database)
        self.sums = SumStore(database)

    def clock(self) -> float:
        return self.now


def with_stores(url: str, use: Callable[[Stores], Awaitable[T]]) -> T:
    async def main() -> T:
        async with open_database(url, PATIENT) as database:
            return await use(Stores(database))

    return asyncio.run(main())


def new_key(key: str = "a" * 64, **values: object) -> NewKey:
    return NewKey(**({"id": key, "label": "sk-or-v1-abc...123", "name": "a name"} | values))  # type: ignore[arg-type]


def entry(number: int | str, **values: object) -> Entry:
    """Generation `number` of key `k`, which cost a dollar's thousandth."""
    usual = {
        "id": f"gen-{number}",
        "created": NOW,
        "router": "r1",
        "key": "k",
        "workspace": "default",
        "kind": "chat",
        "status": "ok",
        "cost": 1_000_000,
    }
    return Entry(**(usual | values))  # type: ignore[arg-type]


def lifetime(owner: str = "key:k") -> Window:
    return Window(owner, Interval.LIFETIME, 0)
