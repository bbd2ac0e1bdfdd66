"""The routes that inform, over a catalogue by hand and a database of their own, without engines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI

from router.api import activity, catalogue, errors, generation, keys
from router.api import credits as credits_api
from router.api.auth import Authenticator
from router.api.management import Accounts, Desk
from router.catalogue import Catalogue
from router.policy.catalog import Dialect, Pool, Price
from router.policy.key import ANONYMOUS, Key
from router.policy.model_names import ModelNames
from router.policy.performance import Performance
from router.protocol.endpoint_object import Standing
from router.protocol.engine_facts import EngineFacts
from router.protocol.model_object import ModelCard
from router.protocol.provider_object import ProviderCard
from router.store.activity import ActivityStore
from router.store.credits import CreditStore
from router.store.database import Database, open_database
from router.store.generations import Generations
from router.store.guardrails import GuardrailStore
from router.store.keys import KeyStore
from router.store.known_keys import KnownKeys
from router.store.known_keys_settings import KnownKeysSettings
from router.store.ledger import LedgerStore
from router.store.recent import Recent, RecentSettings
from router.store.spent_store import SpentStore
from router.store.workspace_budgets import WorkspaceBudgetStore
from router.store.workspaces import WorkspaceStore

BASE = "/api/v1"
NOW = 1_795_651_200.0  # Thursday, 26 November 2026, 00:00 UTC
MANAGER, CALLER, READER = "manager-secret", "caller-secret", "reader-secret"
KEYS = {
    MANAGER: Key("config:manager", "manager", is_management=True),
    CALLER: Key("config:caller", "caller"),
    READER: Key("config:reader", "reader", models=frozenset({"a/eyes"}), ignored_providers=frozenset({"far"})),
}
EYES = ModelCard(
    id="a/eyes",
    name="Eyes",
    description="Sees.",
    created=1_742_238_937,
    context_length=8_192,
    input_modalities=("text", "image"),
    parameters=("temperature", "tools"),
    tokenizer="Mistral",
)
VECTORS = ModelCard(
    id="vectors",
    name="Vectors",
    description="",
    created=0,
    context_length=512,
    input_modalities=("text",),
    parameters=(),
    tokenizer="Other",
    output_modalities=("embeddings",),
)
LOCAL = Pool("eyes-local", "a/eyes", "eyes", price=Price(1e-7, 3e-7), context_length=8_192)
FAR = Pool(
    "eyes-far",
    "a/eyes",
    "acme/eyes",
    provider="Far",
    slug="far/eu",
    dialect=Dialect.OPENAI,
    price=Price(5e-7, 9e-7, cached_prompt=1e-7),
    retains=True,
    parameters=frozenset({"seed"}),
)
EMBEDDER = Pool("embedder", "vectors", "v", outputs=frozenset({"embeddings"}), context_length=512)
POOLS = (FAR, LOCAL, EMBEDDER)


@dataclass(slots=True)
class World:
    """What is known of pools; tests change it."""

    performance: Performance = field(default_factory=Performance)
    engines: dict[str, list[EngineFacts]] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    now: float = 0.0


def catalogue_of(world: World, *cards: ModelCard, pools: tuple[Pool, ...] = POOLS) -> Catalogue:
    return Catalogue(
        cards or (EYES, VECTORS),
        pools,
        names=ModelNames(pools, aliases={"~a/eyes-latest": "a/eyes", "gpt-4o": "a/eyes"}),
        providers=[ProviderCard("Far", "far", "https://far.example/privacy", datacenters=("DE",))],
        performance=world.performance,
        engines=lambda pool: world.engines.get(pool, []),
        standings=lambda: world.standings,
        clock=lambda: world.now,
    )


@dataclass(frozen=True, slots=True)
class InformationApp:
    app: FastAPI
    world: World
    recent: Recent
    database: Database
    desk: Desk

    def client(self, secret: str | None = CALLER) -> httpx.AsyncClient:
        """Somebody who talks to it in this process."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=f"http://router{BASE}",
            headers={} if secret is None else {"authorization": f"Bearer {secret}"},
        )


async def _at_once(seconds: float) -> None:
    pass


@asynccontextmanager
async def information_app(url: str, *, clock: float = NOW) -> AsyncIterator[InformationApp]:
    """`url`: of an empty database. `clock`: unix seconds, at which time stands still."""
    async with open_database(url) as database:

        def wall() -> float:
            return clock

        store, world, recent = KeyStore(database, wall), World(), Recent(None, RecentSettings())
        known = KnownKeys(store, KnownKeysSettings(), clock=lambda: 0.0)
        authenticator = Authenticator(KEYS, known=known, wall_clock=wall)
        accounts = Accounts(
            keys=store,
            workspaces=WorkspaceStore(database, wall),
            budgets=WorkspaceBudgetStore(database, wall),
            guardrails=GuardrailStore(database, wall),
            spent=SpentStore(database, wall),
            known=known,
        )
        desk = Desk(authenticator, accounts)
        generations = Generations(recent, LedgerStore(database), wall_clock=wall, sleep=_at_once)
        app = FastAPI(openapi_url=None)
        errors.install(app)
        for routes in (
            catalogue.routes(catalogue_of(world), authenticator, wall),
            generation.routes(authenticator, generations),
            credits_api.routes(desk, CreditStore(database)),
            activity.routes(desk, ActivityStore(database), wall),
            keys.routes(desk, wall),
        ):
            app.include_router(routes, prefix=BASE)
        yield InformationApp(app, world, recent, database, desk)


def app_without_database() -> FastAPI:
    authenticator = Authenticator({}, anonymous=ANONYMOUS, wall_clock=lambda: NOW)
    desk = Desk(authenticator, None)
    app = FastAPI(openapi_url=None)
    errors.install(app)
    for routes in (credits_api.routes(desk, None), activity.routes(desk, None, lambda: NOW)):
        app.include_router(routes, prefix=BASE)
    return app
