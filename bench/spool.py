"""What writing down each request costs the event loop, and how quickly rows are read back: `python -m bench.spool`.

No database: that is what comes after. Latencies are of single calls, which the loop waits for.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.quantiles import quantile
from router.protocol.entry import Entry, Opened
from router.store.spool import Spool
from router.store.spool_abandoned import Abandoned
from router.store.spool_damaged import DamagedLog
from router.store.spool_home import claim_abandoned, make_home
from router.store.spool_settings import SpoolSettings

SYNCED = 300  # requests with fsync_s 0, each of which waits for the disk
BATCH = 500


def opened(number: int) -> Opened:
    return Opened(
        id=f"gen-1795651200-{number:020x}",
        created=1_795_651_200.123,
        router="a1b2c3d4e5f60718",
        key="f" * 64,
        workspace="default",
        kind="chat",
        streamed=True,
        requested="mistralai/mistral-small-3.1-24b-instruct",
    )


def closed(number: int) -> Entry:
    began = opened(number)
    return Entry(
        id=began.id,
        created=began.created,
        router=began.router,
        key=began.key,
        workspace=began.workspace,
        kind=began.kind,
        streamed=began.streamed,
        requested=began.requested,
        model=began.requested,
        provider="local",
        pool="local",
        status="ok",
        finish_reason="stop",
        prompt_tokens=1_234,
        cached_tokens=1_000,
        completion_tokens=300,
        cost=1_234_567,
        attempts=1,
        latency_ms=123,
        duration_ms=4_567,
    )


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def row(name: str, seconds: list[float]) -> str:
    figures = [1e6 * quantile(seconds, share) for share in (0.5, 0.99, 0.999)]
    return f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in (*figures, 1e6 * max(seconds))) + " |"


def measure(directory: Path, requests: int) -> None:
    begins, ends = [opened(number) for number in range(requests)], [closed(number) for number in range(requests)]
    damaged = DamagedLog(directory, "bench")
    settings = SpoolSettings(directory=str(directory), max_bytes=256 * 8_388_608)
    spool = Spool(make_home(directory, "bench"), settings, damaged)
    opening, closing = [], []
    for begin, end in zip(begins, ends, strict=True):
        opening.append(timed(lambda begin=begin: spool.opened(begin)))  # type: ignore[misc]
        closing.append(timed(lambda end=end: spool.closed(end)))  # type: ignore[misc]
    print("| µs | p50 | p99 | p99.9 | most |\n|---|---|---|---|---|")
    print(row("a request begins", opening))
    print(row("a request ends", closing))
    synced = Spool(make_home(directory, "synced"), SpoolSettings(directory=str(directory), fsync_s=0), damaged)
    print(row("a request ends, fsync_s 0", [timed(lambda end=end: synced.closed(end)) for end in ends[:SYNCED]]))  # type: ignore[misc]
    synced.done(len(synced.take(SYNCED)))
    synced.close()
    print(f"\n{spool.size / requests:.0f} bytes a request")

    half = requests // 2 // BATCH
    seconds = sum(timed(lambda: spool.done(len(spool.take(BATCH)))) for _ in range(half))
    print(f"{half * BATCH / seconds:,.0f} rows/s read back")
    spool.close()
    (home,) = claim_abandoned(directory, 1)
    abandoned, started = Abandoned(home, damaged), time.perf_counter()
    while not abandoned.is_read:
        abandoned.take(BATCH)
    print(f"{abandoned.rows / (time.perf_counter() - started):,.0f} rows/s replayed from a dead router's")
    home.delete()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.spool", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="to measure (default: %(default)s)")
    parser.add_argument("--directory", type=Path, help="on the disk to measure (default: a temporary one)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.directory) as directory:
        measure(Path(directory), chosen.requests)


if __name__ == "__main__":
    main()
