"""A router's worth of spool and writer in a process of its own, to be killed at any moment.

It appends what it was told is safe to a file, because the system keeps that when the process dies: `o <id>` when a
request has begun, `c <id>` when it is over. Its database is a file too, a line for each row.
"""

import asyncio
import os
from collections.abc import Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random

from router.protocol.entry import Entry
from router.store.spool import Spool
from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import make_home
from router.store.writer import LedgerWriter
from router.store.writer_settings import WriterSettings
from tests.router.store.spool_support import entry, opened, settings

UNDER_WAY = 12  # requests at a time


class FileLedger:
    """One write for each batch: all of it or, if the process dies, perhaps part of it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def write(self, entries: Sequence[Entry]) -> int:
        os.write(self._file, b"".join(f"{row.id} {row.status}\n".encode() for row in entries))
        await asyncio.sleep(0)
        return len(entries)


def serve(directory: str, boot: int, ready: Event) -> None:
    """Until killed."""
    asyncio.run(_serve(Path(directory), boot, ready))


async def _serve(root: Path, boot: int, ready: Event) -> None:
    directory, rng = root / "spool", Random(boot)
    damaged = DamagedLog(directory, f"boot-{boot}")
    spool = Spool(make_home(directory, f"boot-{boot}"), settings(directory, fsync_s=0.003), damaged)
    writer = LedgerWriter(
        spool,
        Adoption(directory, damaged, on_retired=lambda boot: None),
        FileLedger(root / "database"),
        damaged,
        WriterSettings(batch=20, flush_s=0.001),
        adopt_s=0.01,
        wall_clock=lambda: 0.0,
        rng=rng,
        on_written=lambda rows: None,
        on_dropped=lambda rows: None,
    )
    told = os.open(root / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    running = asyncio.create_task(writer.run())
    ready.set()
    number, under_way = boot * 1_000_000, list[int]()
    while not running.done():
        number += 1
        spool.opened(opened(number))
        os.write(told, f"o gen-{number}\n".encode())
        under_way.append(number)
        if len(under_way) > UNDER_WAY:
            # the first of all stays under way for ever
            over = under_way.pop(rng.randrange(1, len(under_way)))
            spool.closed(entry(over))
            os.write(told, f"c gen-{over}\n".encode())
        if number % 4 == 0:
            await asyncio.sleep(0)
    running.result()
