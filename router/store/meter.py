"""What routers read on the engines' counters, kept so that the ledger can be held against it.

A row is the last look of an hour in which the counters changed, so that one day, or hour, can be told from the next.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, delete, func, select

from router.policy.meter import Reading
from router.store.database import Database
from router.store.engine_runs import Span, runs
from router.store.schema import meter
from router.store.text import fitting

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Increase:
    """By how much the counters of a pool's engines grew: tokens."""

    pool: str
    prompt_tokens: int
    generation_tokens: int


class MeterStore:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, router: str, readings: Sequence[Reading]) -> None:
        """What a router read since the last time. Written twice, or late, it is the same."""
        if not readings:
            return
        values = [
            {
                "endpoint": fitting(reading.endpoint),
                "router": router,
                "epoch": reading.epoch,
                "hour": int(reading.at // _HOUR) * _HOUR,
                "pool": fitting(reading.pool),
                "first_prompt": reading.first_prompt,
                "first_generation": reading.first_generation,
                "prompt": reading.prompt,
                "generation": reading.generation,
                "at": reading.at,
            }
            for reading in sorted(readings, key=lambda each: (each.endpoint, each.epoch, each.at))
        ]
        insert = self._database.insert(meter)
        newer = {name: insert.excluded[name] for name in ("prompt", "generation", "at")}
        upsert = insert.on_conflict_do_update(
            index_elements=meter.primary_key, set_=newer, where=insert.excluded.at > meter.c.at
        )
        async with self._database.writing() as connection:
            await connection.execute(upsert, values)

    async def increase(self, since: float = 0.0, until: float = float("inf")) -> list[Increase]:
        """Of each pool, between the last looks before the two times (unix seconds), which are exact at full hours."""
        before = meter.c.at <= since
        epoch = (meter.c.endpoint, meter.c.router, meter.c.epoch)
        asked = (
            select(
                meter.c.endpoint,
                func.max(meter.c.pool).label("pool"),
                func.coalesce(func.max(case((before, meter.c.at))), meter.c.epoch / 1e3).label("began"),
                func.max(meter.c.at).label("ended"),
                func.coalesce(func.max(case((before, meter.c.prompt))), func.min(meter.c.first_prompt)).label("low_p"),
                func.coalesce(func.max(case((before, meter.c.generation))), func.min(meter.c.first_generation)).label(
                    "low_g"
                ),
                func.max(meter.c.prompt).label("high_p"),
                func.max(meter.c.generation).label("high_g"),
            )
            .where(meter.c.at <= until)
            .group_by(*epoch)
            .having(func.max(meter.c.at) > since)
        )
        spans: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
        async with self._database.reading() as connection:
            for row in await connection.execute(asked):
                spans[row.pool, row.endpoint].append(
                    Span(row.began, row.ended, (row.low_p, row.low_g), (row.high_p, row.high_g))
                )
        sums: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for (pool, _), seen in spans.items():
            sums[pool] += [run.tokens for run in runs(seen)]
        return [
            Increase(pool, sum(prompt for prompt, _ in sums[pool]), sum(generation for _, generation in sums[pool]))
            for pool in sorted(sums)
        ]

    async def forget(self, before: float) -> int:
        """Looks from before that time, unix seconds; how many rows they were."""
        async with self._database.writing() as connection:
            return (await connection.execute(delete(meter).where(meter.c.at < before))).rowcount
