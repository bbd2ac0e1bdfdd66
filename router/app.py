"""Composition root: a configuration becomes an ASGI application. The only file that knows all parts.

In front stands a dictionary of the inference routes, plain ASGI functions; whatever is not in it goes to FastAPI.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from secrets import token_bytes
from types import MappingProxyType

from fastapi import FastAPI

from router.account_series import key_series, ledger_series, quota_series
from router.accounting import Accounting
from router.api import errors
from router.api.auth import Authenticator
from router.api.batches import BatchDesk
from router.api.conversations import Conversations
from router.api.exchange import Receive, Scope, Send
from router.api.inference import ROUTES, Inference
from router.api.kept_answers import KeptAnswers
from router.api.oidc import TokenLogins
from router.api.reader import Reader
from router.api.room import Room
from router.batch_series import batch_series
from router.batches.callers import Callers
from router.batching import batch_parts
from router.bookkeeping import Books, open_books
from router.catalogue import Catalogue, standings_of
from router.config import Config, Secrets
from router.fleet import Fleet
from router.gateway import Gateway
from router.metrics import Metrics, Snapshot
from router.plugins.file_parser import FileParser
from router.plugins.response_cache import ResponseCache
from router.policies import Policies
from router.policy.catalog import Dialect, Endpoint
from router.policy.key import ANONYMOUS
from router.policy.meter import Meter
from router.policy.quota import Quotas
from router.policy.schema_quota import SchemaQuota
from router.protocol.chain import seed_of
from router.protocol.dialects.phrasebook import Phrasebook
from router.protocol.engine_metrics import EngineMetrics
from router.protocol.media import Fetched, Unfetched
from router.protocol.salt import Salts
from router.protocol.vocabulary import Vocabulary
from router.provider_series import provider_series
from router.reach import cache_series, mesh_series
from router.response_series import response_series
from router.routes import API_BASES, add_routes
from router.sightings import Sightings
from router.store.generations import Generations
from router.store.recent import Recent
from router.store.spool_home import Home
from router.tasks import stop
from router.upstream import media
from router.upstream.client import Client
from router.upstream.directory import Directory
from router.upstream.facts import Facts
from router.upstream.jwks import Jwks
from router.upstream.kv_events import KVEvents
from router.upstream.provider import Provider
from router.upstream.session import open_session
from router.upstream.upstreams import Upstreams
from router.watchers import Watcher, gossip_of, watchers

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Fetch = Callable[[Unfetched], Awaitable[Fetched]]
NONE: Mapping[str, Vocabulary] = MappingProxyType({})


class FrontDoor:
    """The ASGI application: inference routes by dictionary, the rest by FastAPI."""

    def __init__(self, rest: FastAPI, leave: Callable[[], None]) -> None:
        """`leave`: tells others that this router takes no more requests."""
        self._rest = rest
        self.leave = leave
        self._inference: dict[str, Asgi] = {}

    def open(self, inference: Inference) -> None:
        """Let inference requests in. The server does not serve before its lifespan has begun, which calls this."""
        for base in API_BASES:
            for path, route in ROUTES.items():
                self._inference[base + path] = partial(inference.handle, route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._inference.get(scope["path"]) if scope["type"] == "http" else None
        if handler is not None and scope["method"] == "POST":
            await handler(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def build(
    config: Config,
    secrets: Secrets,
    vocabularies: Mapping[str, Vocabulary] = NONE,
    *,
    home: Home | None = None,
    metrics: Metrics | None = None,
) -> FrontDoor:
    """The whole router. Nothing is opened before the server starts its lifespan.

    Args:
        config: as it was read.
        secrets: likewise.
        vocabularies: how to read the engines' tokens, by pool.
        home: this router's folder in the spool; None: without a database.
        metrics: where it counts; None: nobody else does.
    """
    pools = config.pools()
    directory = Directory(clock=time.monotonic, stale_after_s=config.probe.stale_after_s)
    metrics, rng = metrics or Metrics(), random.Random()
    policies = Policies(config, directory, observer=metrics, clock=time.monotonic, rng=rng)
    directory.on_seen(Sightings(policies.load, policies.index, policies.adapters, policies.mesh, time.monotonic).saw)
    meter, quotas, room = Meter(), Quotas(config.quotas), Room(config.room)
    directory.on_seen(partial(_read, meter, directory, tuple(pool.name for pool, _ in pools)))
    directory.on_removed(meter.forget)
    fleet = Fleet(
        pools=[pool for pool, _ in pools],
        endpoints=directory.endpoints,
        engine_metrics=directory.metrics,
        rules=policies.rules,
        clock=time.monotonic,
    )
    metrics.registry.register(Snapshot(fleet.gauges))
    metrics.registry.register(Snapshot(lambda: quota_series(quotas, room)))
    gossip = gossip_of(config, secrets, directory, policies)
    if gossip is not None:
        metrics.registry.register(Snapshot(lambda: mesh_series(policies.mesh, gossip.counts, time.monotonic)))
    salts = Salts(config.isolation.settings(), secrets.isolation)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            books: Books | None = None
            if home is not None and secrets.database is not None:
                opening = open_books(
                    config,
                    secrets.database,
                    home,
                    allowances=quotas.allowances,
                    meter=meter,
                    clock=time.monotonic,
                    wall_clock=time.time,
                    rng=rng,
                )
                books = await stack.enter_async_context(opening)
                _register(metrics, books)
                if (responses := books.responses) is not None:
                    metrics.registry.register(Snapshot(lambda: response_series(responses)))
            client = await stack.enter_async_context(Client(config.client))
            providers = {
                each.slug: await stack.enter_async_context(Provider(each, config.client)) for each in secrets.providers
            }
            allotments = {slug: provider.allotment for slug, provider in providers.items()}
            metrics.registry.register(Snapshot(lambda: provider_series(allotments)))
            user_key = secrets.isolation or token_bytes(32)
            session = await stack.enter_async_context(open_session(keepalive_s=config.client.keepalive_s))
            provider = None if config.oidc is None else config.oidc.settings()
            jwks = None if provider is None else Jwks(session, provider, clock=time.monotonic)
            keys = Authenticator(
                secrets.keys,
                anonymous=ANONYMOUS if config.allow_anonymous else None,
                known=None if books is None else books.known,
                logins=None if provider is None or jwks is None else TokenLogins(jwks, provider, wall_clock=time.time),
                wall_clock=time.time,
            )
            gateway = Gateway(
                planner=policies.planner,
                rules=policies.rules,
                upstream=Upstreams(client, providers),
                phrases=Phrasebook({each.slug: each.words(user_key) for each in secrets.providers}),
                stream=config.stream,
                clock=time.monotonic,
                listener=metrics,
            )
            recent = Recent(None, config.ledger.recent) if books is None else books.recent
            accounting = Accounting(
                quotas,
                journal=recent,
                borrow=None if books is None else books.lender.borrow,
                router=policies.boot if home is None else home.boot,
                routers=lambda: policies.mesh.routers(time.monotonic()),
                clock=time.monotonic,
                wall_clock=time.time,
                on_denied=metrics.on_denied,
            )
            reader = Reader(
                limits=config.limits,
                lengths=policies.lengths,
                seeds={pool.model: seed_of(pool.adapter) for pool, _ in pools if pool.adapter is not None},
                context_of=policies.context_of,
                schemas=SchemaQuota(config.schema_quota),
                fetch=await _fetching(config, metrics, stack),
                presets=None if books is None else books.known_presets.find,
                keeps_source=bool(providers),
                clock=time.monotonic,
            )
            inference = Inference(
                keys=keys,
                accounting=accounting,
                room=room,
                reader=Conversations(reader, None if books is None else books.responses),
                answers=KeptAnswers(gateway, ResponseCache(config.response_cache), time.monotonic),
                salt=salts.of,
                clock=time.monotonic,
                wall_clock=time.time,
                rng=rng,
                on_start=metrics.on_start,
                on_refused=metrics.on_refused,
            )
            batch_desk: BatchDesk | None = None
            if books is not None and home is not None:
                configured = [*secrets.keys.values(), *([ANONYMOUS] if config.allow_anonymous else [])]
                callers = Callers(configured, books.known, wall_clock=time.time)
                batch_desk = BatchDesk(books.batches, books.files, callers, config.batches, room)
                parts = batch_parts(config.batches, books, inference, gateway, callers, home.boot, rng)
                metrics.registry.register(Snapshot(partial(batch_series, *parts)))
                stack.push_async_callback(stop, [asyncio.create_task(part.run()) for part in parts])
            cache_events = KVEvents(
                session=session,
                directory=directory,
                index=policies.index,
                vocabulary=partial(_vocabulary_of, directory, vocabularies),
                settings=config.kv_events,
            )
            directory.on_removed(cache_events.forget)
            metrics.registry.register(Snapshot(lambda: cache_series(cache_events.followers())))
            watched: list[Watcher] = [*watchers(config, directory, session, client, policies, providers)]
            watched += [cache_events] if vocabularies else []
            watched += [] if jwks is None else [jwks]
            facts = Facts(
                session=session,
                directory=directory,
                models={pool.name: pool.upstream_model for pool, _ in pools if pool.dialect is Dialect.VLLM},
                clock=time.monotonic,
                settings=config.facts,
            )
            watched.append(facts)
            stack.push_async_callback(stop, [asyncio.create_task(watcher.run()) for watcher in watched])
            if gossip is not None:
                await stack.enter_async_context(gossip)
            catalogue = Catalogue(
                [model.card() for model in config.models],
                [pool for pool, _ in pools],
                names=policies.names,
                providers=[each.card() for each in config.providers],
                performance=policies.performance,
                engines=facts.of,
                standings=partial(standings_of, fleet),
                clock=time.monotonic,
            )
            generations = Generations(recent, None if books is None else books.ledger, wall_clock=time.time)
            add_routes(app, config, fleet, metrics, keys, books, batch_desk, catalogue, generations)
            door.open(inference)
            yield

    app = FastAPI(
        title="Tramontane",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # its redirects would lead to wherever the Host header says
    )
    errors.install(app)
    door = FrontDoor(app, policies.leave)
    return door


def _register(metrics: Metrics, books: Books) -> None:
    metrics.registry.register(Snapshot(lambda: key_series(books.known, books.lender)))
    metrics.registry.register(Snapshot(lambda: ledger_series(books.spool, books.writer, books.adoption, books.damaged)))


async def _fetching(config: Config, metrics: Metrics, stack: AsyncExitStack) -> Fetch:
    """How pictures are got that requests only name."""
    fetch_images, fetch_file = media.refuse, media.refuse_file
    if config.media.enabled:
        opening = media.open_fetcher(config.media, config.limits, clock=time.monotonic, listener=metrics)
        fetcher = await stack.enter_async_context(opening)
        fetch_images, fetch_file = fetcher.fetch, fetcher.fetch_file
    return FileParser(
        config.files,
        text_chars=config.limits.file_text_chars,
        fetch_images=fetch_images,
        fetch_file=fetch_file,
        clock=time.monotonic,
        listener=metrics,
    ).fetch


def _read(
    meter: Meter, directory: Directory, pools: tuple[str, ...], endpoint: Endpoint, figures: EngineMetrics
) -> None:
    """Note an engine's counters under its pool's name."""
    pool = next((name for name in pools if endpoint in directory.endpoints(name)), None)
    prompt, generation = figures.prompt_tokens_total, figures.generation_tokens_total
    if pool is not None and prompt is not None and generation is not None:
        meter.saw(endpoint.id, pool, prompt=prompt, generation=generation, unix_s=time.time())


def _vocabulary_of(
    directory: Directory, vocabularies: Mapping[str, Vocabulary], endpoint: Endpoint
) -> Vocabulary | None:
    pools = (name for name in vocabularies if endpoint in directory.endpoints(name))
    name = next(pools, None)
    return None if name is None else vocabularies[name]
