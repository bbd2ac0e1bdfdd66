"""Who runs batches, put together: their requests take the way of all others, without a socket.

What runs them lives as long as the router; each of their requests is begun under the configuration of its moment.
"""

import time
from collections.abc import Callable
from random import Random

from router.batches.ask import InProcess
from router.batches.clerk import BatchClerk
from router.batches.runner import BatchRunner, Finds
from router.batches.settings import BatchSettings
from router.bookkeeping import Books


def batch_parts(
    settings: BatchSettings,
    books: Books,
    in_process: InProcess,
    callers: Finds,
    *,
    has_room: Callable[[], bool],
    router: str,
    rng: Random,
) -> tuple[BatchRunner, BatchClerk]:
    """To be run beside the requests.

    Args:
        settings: how many, how long.
        books: where batches are.
        in_process: sends their requests.
        callers: whose they are.
        has_room: may more be sent?
        router: boot id of this one.
        rng: for turns and delays.
    """
    runner = BatchRunner(
        books.batch_work,
        in_process.ask,
        callers,
        settings,
        router=router,
        has_room=has_room,
        clock=time.monotonic,
        rng=rng,
    )
    clerk = BatchClerk(books.batches, books.batch_steps, books.files, settings, router=router, clock=time.monotonic)
    return runner, clerk
