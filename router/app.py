"""Composition root: a configuration becomes an ASGI application. The only file that knows all parts.

In front stands a dictionary of the inference routes, plain ASGI functions; whatever is not in it goes to FastAPI.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI

from router.api import errors, models, ops
from router.api.auth import Keys
from router.api.exchange import Receive, Scope, Send
from router.api.inference import ROUTES, Inference
from router.config import Config, RaySection, Secrets, StaticSection
from router.fleet import Fleet
from router.gateway import Gateway
from router.metrics import Metrics, Snapshot
from router.policy.breakers import Breakers
from router.policy.load import TokenLoad
from router.policy.power_of_two import PowerOfTwo
from router.policy.retry import RetryPolicy
from router.policy.retry_budget import RetryBudget
from router.policy.route import Rules
from router.upstream.client import Client
from router.upstream.directory import Directory
from router.upstream.discovery import static_endpoints
from router.upstream.probe import Prober
from router.upstream.ray_discovery import RayDiscovery
from router.upstream.session import Session, open_session

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
API_BASES = ("/api/v1", "/v1")


class FrontDoor:
    """The ASGI application: inference routes by dictionary, the rest by FastAPI."""

    def __init__(self, rest: FastAPI) -> None:
        self._rest = rest
        self._inference: dict[str, Asgi] = {}

    def open(self, inference: Inference) -> None:
        """Let inference requests in. The server does not serve before its lifespan has begun, which calls this."""
        for base in API_BASES:
            for path, parse in ROUTES.items():
                self._inference[base + path] = partial(inference.handle, parse)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._inference.get(scope["path"]) if scope["type"] == "http" else None
        if handler is not None and scope["method"] == "POST":
            await handler(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def build(config: Config, secrets: Secrets) -> FrontDoor:
    """The whole router. Nothing is opened before the server starts its lifespan."""
    pools = config.pools()
    sections = {pool.name: section for pool, section in pools}
    directory = Directory(clock=time.monotonic, stale_after_s=config.probe.stale_after_s)
    breakers, load, metrics = Breakers(config.breaker), TokenLoad(), Metrics()
    directory.on_removed(breakers.forget)
    directory.on_removed(load.forget)
    rng = random.Random()
    balancer = PowerOfTwo(load, rng)
    rules = Rules(
        endpoints=directory.endpoints,
        balancer=lambda pool: balancer,
        deadlines=lambda pool: sections[pool].deadlines or config.deadlines,
        breakers=breakers,
        load=load,
        retry=RetryPolicy(config.retry),
        retry_budget=RetryBudget(config.retry_budget),
        settle=metrics.on_settle,
    )
    fleet = Fleet(
        pools=[pool for pool, _ in pools],
        endpoints=directory.endpoints,
        engine_metrics=directory.metrics,
        breakers=breakers,
        load=load,
        clock=time.monotonic,
    )
    metrics.registry.register(Snapshot(fleet.gauges))
    keys = Keys(secrets.keys, allow_anonymous=config.allow_anonymous)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client(config.client))
            gateway = Gateway(
                pools=[pool for pool, _ in pools],
                rules=rules,
                upstream=client,
                stream=config.stream,
                clock=time.monotonic,
                on_end=metrics.on_end,
            )
            inference = Inference(
                gateway=gateway,
                keys=keys,
                limits=config.limits,
                clock=time.monotonic,
                wall_clock=time.time,
                rng=rng,
                on_start=metrics.on_start,
                on_refused=metrics.on_refused,
            )
            session = await stack.enter_async_context(open_session(keepalive_s=config.client.keepalive_s))
            watchers = [asyncio.create_task(watcher.run()) for watcher in _watchers(config, directory, session)]
            stack.push_async_callback(_stop, watchers)
            door.open(inference)
            yield

    app = FastAPI(title="Tramontane", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    errors.install(app)
    app.include_router(ops.routes(fleet, metrics.render, keys))
    cards = [model.card() for model in config.models]
    for base in API_BASES:
        app.include_router(models.routes(cards, keys), prefix=base)
    door = FrontDoor(app)
    return door


def _watchers(config: Config, directory: Directory, session: Session) -> Iterator[RayDiscovery | Prober]:
    """What keeps the directory in step with the world, after the endpoints that are given were put in."""
    for pool, section in config.pools():
        match section.discovery:
            case StaticSection(endpoints=urls):
                directory.replace(pool.name, static_endpoints(urls))
            case RaySection() as ray:
                secret = ray.token
                yield RayDiscovery(
                    session=session,
                    directory=directory,
                    pool_name=pool.name,
                    dashboard=ray.dashboard,
                    application=ray.application,
                    token=(lambda: None) if secret is None else partial(secret.read, os.environ),
                    interval_s=ray.interval_s,
                    timeout_s=ray.timeout_s,
                )
    yield Prober(
        session=session,
        directory=directory,
        interval_s=config.probe.interval_s,
        timeout_s=config.probe.timeout_s,
    )


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
