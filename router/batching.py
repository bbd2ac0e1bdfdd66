"""Who runs batches, put together: their requests take the way of all others, without a socket."""

import time
from random import Random

from router.api.inference import ROUTES, Inference
from router.batches.ask import InProcess
from router.batches.callers import Callers
from router.batches.clerk import BatchClerk
from router.batches.runner import BatchRunner
from router.batches.settings import BatchSettings
from router.bookkeeping import Books
from router.gateway import Gateway


def batch_parts(
    settings: BatchSettings,
    books: Books,
    inference: Inference,
    gateway: Gateway,
    callers: Callers,
    router: str,
    rng: Random,
) -> tuple[BatchRunner, BatchClerk]:
    """To be run beside the requests. `router`: boot id of this one."""
    in_process = InProcess(settings.answer_bytes)
    twin = inference.known_by(in_process)
    in_process.open(lambda path, scope, receive, send: twin.handle(ROUTES[path], scope, receive, send))
    runner = BatchRunner(
        books.batch_work,
        in_process.ask,
        callers,
        settings,
        router=router,
        has_room=lambda: gateway.waiting == 0,
        clock=time.monotonic,
        rng=rng,
    )
    clerk = BatchClerk(books.batches, books.batch_steps, books.files, settings, router=router, clock=time.monotonic)
    return runner, clerk
