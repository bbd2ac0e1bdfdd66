"""From a configuration to an edition of it (see edition): the only file that knows all parts.

It is made whole or not at all: nothing that is in force is touched, no task is started and no endpoint is entered
before it is taken over (see editions).
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI

from router.api import errors
from router.api.auth import Authenticator
from router.api.batches import BatchDesk
from router.api.inference import ROUTES
from router.batches.callers import Callers
from router.catalogue import Catalogue, standings_of
from router.edition import Edition, Slot
from router.fleet import About, Fleet
from router.house import House, Now, vocabulary_of
from router.making import Making
from router.making_callers import authenticator, batch_callers
from router.making_inference import inference
from router.policies import Policies
from router.policy.catalog import Dialect, Pool
from router.reload_file import Reading
from router.routes import API_BASES, add_routes
from router.sections import PoolSection
from router.store.generations import Generations
from router.upstream.client import Client
from router.upstream.kv_events import KVEvents
from router.upstream.provider import Provider
from router.upstream.upstreams import Upstreams
from router.watchers import discovery_of, given_endpoints, prober_of, reviver_of

Providers = Mapping[str, Provider]  # by their slugs


async def publish(house: House, reading: Reading, now: Now, about: About) -> Edition:
    """A new edition, not in force yet; to be closed.

    Args:
        house: what lives longer.
        reading: the configuration and its secrets.
        now: the edition in force.
        about: what `/status` tells of the configuration.

    Raises:
        ValueError: the configuration cannot be, and why.
    """
    making = Making(house, reading)
    try:
        return await _made(making, now, about)
    except BaseException:
        await making.give_up()
        raise


async def _made(making: Making, now: Now, about: About) -> Edition:
    house, config = making.house, making.config
    client = await making.parts.open("client", config.client, partial(Client, config.client))
    providers = {each.slug: await _provider(making, each.slug) for each in making.reading.secrets.providers}
    slots = {pool.name: _slot(making, pool, section, providers) for pool, section in making.pools}
    names = {pool: slot.name for pool, slot in slots.items()}
    policies = Policies(
        config,
        house.learnt,
        making.parts,
        slots=names,
        endpoints=house.directory.endpoints,
        observer=house.metrics,
        rng=house.rng,
    )
    fleet = Fleet(
        pools=[pool for pool, _ in making.pools],
        endpoints=policies.rules.endpoints,
        engine_metrics=house.directory.metrics,
        rules=policies.rules,
        clock=time.monotonic,
        about=about,
        may_be_empty=frozenset(pool.name for pool, section in making.pools if section.scales_to_zero),
    )
    keys, callers = await authenticator(making), batch_callers(making)
    asked = await inference(making, keys, policies, Upstreams(client, providers))
    catalogue = Catalogue(
        [model.card() for model in config.models],
        [pool for pool, _ in making.pools],
        names=policies.names,
        providers=[each.card() for each in config.providers],
        performance=house.learnt.performance,
        engines=lambda pool: house.facts.of(names[pool]),
        standings=partial(standings_of, fleet),
        clock=time.monotonic,
    )
    # a twentieth of a second of work, during which streams go on
    rest = await asyncio.to_thread(_rest, making, fleet, keys, callers, catalogue)
    cache_events = await _watch(making, slots, policies, client, providers, now)
    twin = asked.known_by(house.in_process)
    return Edition(
        config=config,
        slots=tuple(slots.values()),
        fleet=fleet,
        allotments={slug: provider.allotment for slug, provider in providers.items()},
        callers=callers,
        cache_events=cache_events,
        inference={base + path: partial(asked.handle, route) for base in API_BASES for path, route in ROUTES.items()},
        batch_inference={path: partial(twin.handle, route) for path, route in ROUTES.items()},
        rest=rest,
        running=tuple(making.running),
        tasks=making.tasks,
        parts=making.parts,
    )


async def _provider(making: Making, slug: str) -> Provider:
    """One whose limits are the same goes on counting against them, with whatever key."""
    settings = next(each for each in making.reading.secrets.providers if each.slug == slug)
    client, files = making.config.client, making.reading.certificates.get(slug)
    provider = await making.parts.open(
        f"provider {slug}", (settings, client, files), partial(Provider, settings, client)
    )
    limits = settings.max_concurrent, settings.requests_per_min
    provider.allotment = making.parts.keep(f"allotment of {slug}", limits, lambda: provider.allotment)
    return provider


def _slot(making: Making, pool: Pool, section: PoolSection, providers: Providers) -> Slot:
    """A pool that is asked for the same model is the same pool, wherever its engines are now."""
    is_ours = pool.dialect is Dialect.VLLM
    what = pool.model, pool.upstream_model, pool.slug, "" if is_ours else providers[pool.slug].base_url
    house, name = making.house, pool.name
    return Slot(
        name=making.parts.keep(f"slot of {name}", what, partial(house.take_slot, name), house.free_slot),
        pool=name,
        given=given_endpoints(pool, section, providers),
        asks_for=pool.upstream_model if is_ours else None,
        vocabulary=making.reading.vocabularies.get(name),
    )


async def _watch(
    making: Making, slots: Mapping[str, Slot], policies: Policies, client: Client, providers: Providers, now: Now
) -> KVEvents | None:
    """What is to run beside the requests; of this, what follows the engines' cache events."""
    house, config = making.house, making.config
    for pool, section in making.pools:
        slot = slots[pool.name]
        if slot.given is None:
            queue = policies.rules.queue(pool.name)  # the slot's, as long as there is one
            make = partial(discovery_of, section, slot.name, house.directory, house.session, partial(bool, queue))
            await making.beside(f"discovery of {slot.name}", (section.discovery, section.scales_to_zero), make)
    ours = [slot.name for slot in slots.values() if slot.asks_for is not None]
    probes = partial(prober_of, config, ours, house.directory, house.session, house.learnt)
    await making.beside("probes", (config.probe, ours), probes)
    if config.probe.revive_s is not None:  # always a new one
        await making.beside("revivals", object(), partial(reviver_of, config, policies, client, providers))
    if all(slot.vocabulary is None for slot in slots.values()):
        return None
    run = await making.beside("cache events", config.kv_events, partial(_cache_events, making, now))
    assert isinstance(run.watcher, KVEvents)
    return run.watcher


def _cache_events(making: Making, now: Now) -> KVEvents:
    house = making.house
    return KVEvents(
        session=house.session,
        directory=house.directory,
        index=house.learnt.index,
        vocabulary=lambda endpoint: vocabulary_of(house.directory, now(), endpoint),
        settings=making.config.kv_events,
    )


def _rest(making: Making, fleet: Fleet, keys: Authenticator, callers: Callers | None, catalogue: Catalogue) -> FastAPI:
    """All routes but those of inference."""
    house, config = making.house, making.config
    app = FastAPI(
        title="Tramontane",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # its redirects would lead to wherever the Host header says
    )
    errors.install(app)
    books, desk = house.books, None
    if books is not None and callers is not None:
        desk = BatchDesk(books.batches, books.files, callers, config.batches, house.room)
    generations = Generations(house.recent, None if books is None else books.ledger, wall_clock=time.time)
    add_routes(app, config, fleet, house.metrics, keys, books, desk, catalogue, generations)
    return app
