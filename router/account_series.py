"""What accounts and the ledger are at, as Prometheus series: read when Prometheus asks."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from router.api.room import Room
from router.policy.key import NANO
from router.policy.quota import Quotas
from router.store.known_keys import KnownKeys
from router.store.lender import Lender
from router.store.spool import Spool
from router.store.spool_adoption import Adoption
from router.store.spool_damaged import DamagedLog
from router.store.writer import LedgerWriter


def quota_series(quotas: Quotas, room: Room) -> Iterator[Metric]:
    """Of what requests hold; all 0 at rest, but for the leases."""
    yield _gauge("room_requests", "Requests in the router, from their headers on.", room.requests)
    yield _gauge("room_body_bytes", "Bytes of request bodies in the router.", room.bytes)
    yield _gauge("admitted_requests", "Requests that count against their keys' rates.", quotas.in_flight)
    yield _gauge("reserved_usd", "US dollars reserved by requests under way.", quotas.reserved / NANO)
    yield _gauge("leased_usd", "US dollars of budgets that this router holds.", quotas.allowances.held / NANO)


def key_series(known: KnownKeys, lender: Lender) -> Iterator[Metric]:
    """Of what is read and borrowed from the database."""
    yield _gauge("known_keys", "Keys of the database that are kept in memory.", known.keys)
    yield _counter("key_reads", "Statements that read keys.", known.reads)
    yield _counter("key_read_failures", "Of these, those that failed.", known.failures)
    yield _counter("stale_key_uses", "Requests let in by a key that could not be read again.", known.stale_uses)
    yield _counter("unchecked_keys", "Requests refused because their key could not be read.", known.refused)
    yield _counter("budget_borrowings", "Transactions that borrowed of budgets.", lender.borrowings)
    yield _counter("budget_failures", "Times that budgets could not be borrowed or renewed.", lender.failures)


def ledger_series(spool: Spool, writer: LedgerWriter, adoption: Adoption, damaged: DamagedLog) -> Iterator[Metric]:
    """Of rows on their way into the database."""
    yield _gauge("ledger_pending", "Rows in the spool that are not known to be in the database.", spool.pending)
    yield _gauge("ledger_oldest_seconds", "Age of the oldest row that waits to be written.", writer.oldest_s)
    yield _gauge("ledger_spool_bytes", "Size of the spool.", spool.size)
    yield _gauge("ledger_spool_full", "1 if new requests are refused because the spool is full.", not spool.has_room)
    yield _gauge("ledger_database_away", "1 if the last write failed.", writer.is_away)
    yield _counter("ledger_written", "Rows written to the database, those of dead routers included.", writer.written)
    yield _counter("ledger_dropped", "Rows LOST because the spool was full.", spool.dropped)
    yield _counter("ledger_refused", "Rows set aside because the database refuses them.", writer.refused)
    yield _counter("ledger_write_failures", "Transactions that failed.", writer.failures)
    yield _counter("ledger_disk_failures", "Writes to the spool that failed.", spool.failures)
    yield _gauge("ledger_spool_memory_bytes", "Bytes of the spool that the disk has refused so far.", spool.in_memory)
    yield _gauge("ledger_under_way", "Requests that are written down as begun and not as ended.", spool.under_way)
    yield _counter("ledger_damaged", "Lines set aside because they are unreadable or refused.", damaged.lines)
    yield _counter("ledger_damaged_lost", "Of these, those that could not even be set aside.", damaged.lost)
    yield _counter("ledger_adopted", "Spools of dead routers that were written to the end.", adoption.retired)
    yield _counter("ledger_interrupted", "Requests that dead routers left without an end.", adoption.interrupted)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"tramontane_{name}", meaning)
    family.add_metric([], float(value))
    return family


def _counter(name: str, meaning: str, value: float) -> Metric:
    family = CounterMetricFamily(f"tramontane_{name}", meaning)
    family.add_metric([], float(value))
    return family
