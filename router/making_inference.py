"""The inference routes under one configuration: what reads requests, what answers them."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

from router.api.auth import Authenticator
from router.api.conversations import Conversations
from router.api.inference import Inference
from router.api.kept_answers import KeptAnswers
from router.api.reader import Reader
from router.gateway import Gateway
from router.making import Making
from router.plugins.file_parser import FileParser
from router.plugins.response_cache import ResponseCache
from router.policies import Policies
from router.policy.schema_quota import SchemaQuota
from router.protocol.chain import seed_of
from router.protocol.dialects.phrasebook import Phrasebook
from router.protocol.media import Fetched, Unfetched
from router.protocol.salt import Salts
from router.upstream import media
from router.upstream.upstreams import Upstreams

Fetch = Callable[[Unfetched], Awaitable[Fetched]]


async def inference(making: Making, keys: Authenticator, policies: Policies, upstreams: Upstreams) -> Inference:
    """What the inference routes call."""
    house, config, secrets = making.house, making.config, making.reading.secrets
    user_key = secrets.isolation or house.user_key
    gateway = Gateway(
        planner=policies.planner,
        rules=policies.rules,
        upstream=upstreams,
        phrases=Phrasebook({each.slug: each.words(user_key) for each in secrets.providers}),
        stream=config.stream,
        clock=time.monotonic,
        listener=house.metrics,
        lobby=house.lobby,
    )
    reader = Reader(
        limits=config.limits,
        lengths=policies.rules.lengths,
        seeds={pool.model: seed_of(pool.adapter) for pool, _ in making.pools if pool.adapter is not None},
        context_of=policies.context_of,
        schemas=making.parts.keep("schemas", config.schema_quota, partial(SchemaQuota, config.schema_quota)),
        fetch=await _fetching(making),
        presets=None if house.books is None else house.books.known_presets.find,
        keeps_source=bool(secrets.providers),
        clock=time.monotonic,
    )
    cache = making.parts.keep(  # what a pool has answered that is no more, or had another price, is not given again
        "kept answers",
        (config.response_cache, [pool for pool, _ in making.pools]),
        partial(ResponseCache, config.response_cache),
    )
    return Inference(
        keys=keys,
        accounting=house.accounting,
        room=house.room,
        reader=Conversations(reader, None if house.books is None else house.books.responses),
        answers=KeptAnswers(gateway, cache, time.monotonic),
        salt=Salts(config.isolation.settings(), secrets.isolation).of,
        clock=time.monotonic,
        wall_clock=time.time,
        rng=house.rng,
        on_start=house.metrics.on_start,
        on_refused=house.metrics.on_refused,
    )


async def _fetching(making: Making) -> Fetch:
    """How pictures and documents are got that requests only name."""
    config, listener = making.config, making.house.metrics
    fetch_images, fetch_file = media.refuse, media.refuse_file
    asked = config.media, config.limits
    if config.media.enabled:
        opening = partial(media.open_fetcher, *asked, clock=time.monotonic, listener=listener)
        fetcher = await making.parts.open("pictures", asked, opening)
        fetch_images, fetch_file = fetcher.fetch, fetcher.fetch_file
    make = partial(
        FileParser,
        config.files,
        text_chars=config.limits.file_text_chars,
        fetch_images=fetch_images,
        fetch_file=fetch_file,
        clock=time.monotonic,
        listener=listener,
    )
    return making.parts.keep("documents", (config.files, *asked), make).fetch
