"""All routes but those of inference: for operators, for callers who look, for those who manage."""

import time
from importlib.metadata import version

from fastapi import FastAPI

from router.api import activity, batches, files, guardrails, ops, presets, workspaces
from router.api import catalogue as catalogue_api
from router.api import credits as credits_api
from router.api import generation as generation_api
from router.api import keys as keys_api
from router.api import responses as responses_api
from router.api.auth import Authenticator
from router.api.batches import BatchDesk
from router.api.management import Desk
from router.api.openapi import document as openapi
from router.bookkeeping import Books
from router.catalogue import Catalogue
from router.config import Config
from router.fleet import Fleet
from router.metrics import Metrics
from router.store.generations import Generations

API_BASES = ("/api/v1", "/v1")
_FORMER_BATCHES = "/api/beta"  # where OpenRouter's were at first


def add_routes(
    app: FastAPI,
    config: Config,
    fleet: Fleet,
    metrics: Metrics,
    keys: Authenticator,
    books: Books | None,
    batch_desk: BatchDesk | None,
    catalogue: Catalogue,
    generations: Generations,
) -> None:
    """Mount them at the root and under each API base. Without a database those that need one say so."""
    described = openapi.routes(openapi.write(config.limits, version=version("tramontane"), model=config.models[0].id))
    app.include_router(described)
    app.include_router(ops.routes(fleet, metrics.render, keys))
    desk = Desk(keys, None if books is None else books.accounts)
    under_base = [
        described,
        catalogue_api.routes(catalogue, keys, time.time),
        generation_api.routes(keys, generations),
        keys_api.routes(desk, time.time),
        workspaces.routes(desk),
        guardrails.routes(desk),
        credits_api.routes(desk, None if books is None else books.credits),
        activity.routes(desk, None if books is None else books.activity, time.time),
        responses_api.routes(keys, None if books is None else books.responses),
        files.routes(keys, None if books is None else books.files),
        batches.routes(keys, batch_desk),
    ]
    if books is not None:
        under_base.append(presets.routes(keys, books.presets, books.known_presets, config.limits))
    for base in API_BASES:
        for routes in under_base:
            app.include_router(routes, prefix=base)
    app.include_router(batches.routes(keys, batch_desk), prefix=_FORMER_BATCHES)
