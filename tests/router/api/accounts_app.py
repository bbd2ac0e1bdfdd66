"""The management API with a database of its own, without engines: what the tests of its routes talk to."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from router.api import errors, guardrails, keys, presets, workspaces
from router.api.auth import Authenticator
from router.api.management import Accounts, Desk
from router.policy.key import ANONYMOUS, Key, Rates
from router.protocol.limits import Limits
from router.store.database import Database, open_database
from router.store.guardrails import GuardrailStore
from router.store.keys import KeyStore
from router.store.known_keys import KnownKeys
from router.store.known_keys_settings import KnownKeysSettings
from router.store.known_presets import KnownPresets
from router.store.presets import PresetStore
from router.store.spent_store import SpentStore
from router.store.workspace_budgets import WorkspaceBudgetStore
from router.store.workspaces import WorkspaceStore

MANAGER = "manager-secret"
CALLER = "caller-secret"
BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class AccountsApp:
    app: FastAPI
    database: Database
    known: KnownKeys
    authenticator: Authenticator

    def client(self, secret: str | None = MANAGER) -> httpx.AsyncClient:
        """Somebody who talks to it in this process."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=f"http://router{BASE}",
            headers={} if secret is None else {"authorization": f"Bearer {secret}"},
        )


@asynccontextmanager
async def accounts_app(url: str) -> AsyncIterator[AccountsApp]:
    """`url`: of an empty database."""
    async with open_database(url) as database:
        known = KnownKeys(KeyStore(database, time.time), KnownKeysSettings(), clock=time.monotonic)
        configured = {
            MANAGER: Key("config:manager", "manager", is_management=True),
            CALLER: Key("config:caller", "caller", rates=Rates(requests_per_min=60)),
        }
        authenticator = Authenticator(configured, known=known, wall_clock=time.time)
        accounts = Accounts(
            keys=KeyStore(database, time.time),
            workspaces=WorkspaceStore(database, time.time),
            budgets=WorkspaceBudgetStore(database, time.time),
            guardrails=GuardrailStore(database, time.time),
            spent=SpentStore(database, time.time),
            known=known,
        )
        app = app_of(Desk(authenticator, accounts))
        kept = PresetStore(database, time.time)
        known_presets = KnownPresets(kept, clock=time.monotonic)
        app.include_router(presets.routes(authenticator, kept, known_presets, Limits(body_bytes=200_000)), prefix=BASE)
        yield AccountsApp(app, database, known, authenticator)


def app_without_database() -> FastAPI:
    return app_of(Desk(Authenticator({}, anonymous=ANONYMOUS, wall_clock=time.time), None))


def app_of(desk: Desk) -> FastAPI:
    app = FastAPI(openapi_url=None)
    errors.install(app)
    for router in (keys.routes(desk, time.time), workspaces.routes(desk), guardrails.routes(desk)):
        app.include_router(router, prefix=BASE)
    return app
