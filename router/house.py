"""What lives as long as the process, whatever the configuration: what was learnt, what requests hold, the database.

It is made with the configuration of the start. Parts that want to know something of the one in force (which pools there
are, who may call) ask for the edition of the moment.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from random import Random
from secrets import token_bytes

from router.account_series import key_series, ledger_series, quota_series
from router.accounting import Accounting
from router.api.exchange import Receive, Scope, Send
from router.api.room import Room
from router.batch_series import batch_series
from router.batches.ask import InProcess
from router.batches.clerk import BatchClerk
from router.batches.runner import BatchRunner
from router.batching import batch_parts
from router.bookkeeping import Books, open_books
from router.edition import Edition
from router.learnt import Learnt
from router.lobby import Lobby
from router.metrics import Metrics, Snapshot
from router.policy.catalog import Endpoint, EndpointId
from router.policy.key import Key
from router.policy.meter import Meter
from router.policy.quota import Quotas
from router.protocol.engine_metrics import EngineMetrics
from router.protocol.vocabulary import Vocabulary
from router.provider_series import provider_series
from router.reach import cache_series
from router.reload_file import Reading
from router.response_series import response_series
from router.shared import Shared
from router.sightings import Sightings
from router.store.recent import Recent
from router.store.spool_home import Home
from router.upstream.directory import Directory
from router.upstream.facts import Facts
from router.upstream.kv_event_follower import Follower
from router.upstream.session import Session, open_session

Now = Callable[[], Edition]  # the edition in force


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One per router."""

    started: Reading
    metrics: Metrics
    rng: Random
    directory: Directory
    learnt: Learnt
    shared: Shared
    quotas: Quotas
    room: Room
    lobby: Lobby
    session: Session
    facts: Facts
    books: Books | None
    recent: Recent
    accounting: Accounting
    in_process: InProcess
    batches: tuple[BatchRunner, BatchClerk] | None
    user_key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)  # where none is configured
    slots: set[str] = field(default_factory=set)  # names that are taken

    def take_slot(self, pool: str) -> str:
        """A name for the endpoints of a pool, to be freed."""
        names = chain([pool], (f"{pool} ({number})" for number in count(2)))
        slot = next(name for name in names if name not in self.slots)
        self.slots.add(slot)
        return slot

    def free_slot(self, slot: str) -> None:
        """Its endpoints leave."""
        self.slots.discard(slot)
        self.directory.drop(slot)


@asynccontextmanager
async def open_house(
    started: Reading, home: Home | None, metrics: Metrics, now: Now, rng: Random
) -> AsyncIterator[House]:
    """
    Args:
        started: what the router starts with.
        home: its folder in the spool; None: without a database.
        metrics: where it counts.
        now: the edition in force; not asked before there is one.
        rng: chance.
    """
    config = started.config
    directory = Directory(clock=time.monotonic, stale_after_s=config.probe.stale_after_s)
    learnt = Learnt(config, directory, clock=time.monotonic)
    directory.on_seen(Sightings(learnt.load, learnt.index, learnt.adapters, learnt.mesh, time.monotonic).saw)
    meter, quotas, room, lobby = Meter(), Quotas(config.quotas), Room(config.room), Lobby(time.monotonic)
    directory.on_seen(partial(_read, meter, directory, now))
    directory.on_removed(meter.forget)
    directory.on_removed(partial(_unfollow, now))
    in_process = InProcess(config.batches.answer_bytes)
    in_process.open(partial(_answer_batch, now))
    async with AsyncExitStack() as stack:
        books = await _books(started, home, quotas, meter, rng, stack)
        session = await stack.enter_async_context(open_session(keepalive_s=config.client.keepalive_s))
        recent = Recent(None, config.ledger.recent) if books is None else books.recent
        boot = learnt.boot if home is None else home.boot
        house = House(
            started=started,
            metrics=metrics,
            rng=rng,
            directory=directory,
            learnt=learnt,
            shared=Shared(),
            quotas=quotas,
            room=room,
            lobby=lobby,
            session=session,
            facts=Facts(session=session, directory=directory, models={}, clock=time.monotonic, settings=config.facts),
            books=books,
            recent=recent,
            accounting=Accounting(
                quotas,
                journal=recent,
                borrow=None if books is None else books.lender.borrow,
                router=boot,
                routers=lambda: learnt.mesh.routers(time.monotonic()),
                clock=time.monotonic,
                wall_clock=time.time,
                on_denied=metrics.on_denied,
            ),
            in_process=in_process,
            batches=None
            if books is None
            else batch_parts(
                config.batches, books, in_process, _Callers(now), has_room=lambda: not lobby, router=boot, rng=rng
            ),
        )
        _register(house, now)
        yield house


async def _books(
    started: Reading, home: Home | None, quotas: Quotas, meter: Meter, rng: Random, stack: AsyncExitStack
) -> Books | None:
    url = started.secrets.database
    if home is None or url is None:
        return None
    opening = open_books(
        started.config,
        url,
        home,
        allowances=quotas.allowances,
        meter=meter,
        clock=time.monotonic,
        wall_clock=time.time,
        rng=rng,
    )
    return await stack.enter_async_context(opening)


def _register(house: House, now: Now) -> None:
    """All series that are read when Prometheus asks, once: they tell of the edition of that moment."""
    snapshots = [
        lambda: now().fleet.gauges(),  # noqa: PLW0108 - of the edition of that moment
        lambda: quota_series(house.quotas, house.room),
        lambda: provider_series(now().allotments),
        lambda: cache_series(_followers(now)),
    ]
    if (books := house.books) is not None:
        snapshots.append(lambda: key_series(books.known, books.lender))
        snapshots.append(lambda: ledger_series(books.spool, books.writer, books.adoption, books.damaged))
        if (responses := books.responses) is not None:
            snapshots.append(lambda: response_series(responses))
    if (parts := house.batches) is not None:
        snapshots.append(lambda: batch_series(*parts))
    for snapshot in snapshots:
        house.metrics.registry.register(Snapshot(snapshot))


def _followers(now: Now) -> Iterable[tuple[EndpointId, Follower]]:
    followed = now().cache_events
    return () if followed is None else followed.followers()


def _unfollow(now: Now, endpoint_id: EndpointId) -> None:
    if (followed := now().cache_events) is not None:
        followed.forget(endpoint_id)


class _Callers:
    """Of batches, under the configuration in force."""

    def __init__(self, now: Now) -> None:
        self._now = now

    async def find(self, key_id: str) -> Key:
        callers = self._now().callers
        assert callers is not None  # there is a database, or there would be no batch
        return await callers.find(key_id)


async def _answer_batch(now: Now, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    with (edition := now()):
        await edition.batch_inference[path](scope, receive, send)


def _read(meter: Meter, directory: Directory, now: Now, endpoint: Endpoint, figures: EngineMetrics) -> None:
    """Note an engine's counters under its pool's name."""
    pool = next((slot.pool for slot in now().slots if endpoint in directory.endpoints(slot.name)), None)
    prompt, generation = figures.prompt_tokens_total, figures.generation_tokens_total
    if pool is not None and prompt is not None and generation is not None:
        meter.saw(endpoint.id, pool, prompt=prompt, generation=generation, unix_s=time.time())


def vocabulary_of(directory: Directory, edition: Edition, endpoint: Endpoint) -> Vocabulary | None:
    """How to read an engine's tokens under an edition; None: not known."""
    slots = (slot for slot in edition.slots if slot.vocabulary is not None)
    return next((slot.vocabulary for slot in slots if endpoint in directory.endpoints(slot.name)), None)
