"""Who spends what, who is refused for it, and is every row on its way into the database?"""

from deploy.grafana.model import Dashboard, Row, Step, lines, number, states
from deploy.grafana.panels.common import COST_OF_KEYS, INSTANCE, JOB, MODEL, RATE, R, cost, per_second

_SPENDING = Row(
    "Spending",
    (
        cost("key", COST_OF_KEYS),
        cost("model", "US dollars an hour."),
        lines(
            "Denied, by reason",
            "Requests refused because of their key's rates or budgets: 429 and 402.",
            "reqps",
            (per_second(f"tramontane_denied_total{{{R}}}", "reason"), "{{reason}}"),
            stacked=True,
        ),
        lines(
            "Reserved",
            "By requests under way, at the most that they may cost. 0 at rest: else it is a leak.",
            "currencyUSD",
            (f"sum by (instance) (tramontane_reserved_usd{{{R}}})", "{{instance}}"),
            stacked=True,
        ),
        lines(
            "Leased",
            "What routers hold of budgets, so that requests need not wait for the database.",
            "currencyUSD",
            (f"sum by (instance) (tramontane_leased_usd{{{R}}})", "{{instance}}"),
            stacked=True,
        ),
        lines(
            "Borrowing",
            "Transactions that borrowed of budgets, and those that failed, per second.",
            "ops",
            (per_second(f"tramontane_budget_borrowings_total{{{R}}}"), "borrowed"),
            (per_second(f"tramontane_budget_failures_total{{{R}}}"), "failed"),
        ),
    ),
)

_KEYS = Row(
    "Keys",
    (
        lines(
            "Known keys",
            "Of the database, kept in memory.",
            "short",
            (f"tramontane_known_keys{{{R}}}", "{{instance}}"),
            width=6,
        ),
        lines(
            "Reading keys",
            "Statements per second, and those that failed.",
            "ops",
            (per_second(f"tramontane_key_reads_total{{{R}}}"), "read"),
            (per_second(f"tramontane_key_read_failures_total{{{R}}}"), "failed"),
            width=6,
        ),
        lines(
            "Keys that could not be checked",
            "stale: let in by what was known. refused: not known, 503. Both only while the database is away.",
            "reqps",
            (per_second(f"tramontane_stale_key_uses_total{{{R}}}"), "stale"),
            (per_second(f"tramontane_unchecked_keys_total{{{R}}}"), "refused"),
            width=6,
        ),
        lines(
            "Requests that count",
            "Against their keys' rates, at this moment.",
            "short",
            (f"sum by (instance) (tramontane_admitted_requests{{{R}}})", "{{instance}}"),
            width=6,
            stacked=True,
        ),
    ),
)

_LEDGER = Row(
    "Ledger",
    (
        number(
            "Spool, fullest",
            "Share of its bound. At 1 requests are refused, or rows are lost.",
            "percentunit",
            f"max(tramontane_ledger_spool_bytes{{{R}}}) / scalar(tramontane:ledger_spool:limit_bytes)",
            Step(0.5, "orange"),
            Step(0.9, "red"),
        ),
        number(
            "Oldest row",
            "That waits to be written. Under a second when all is well.",
            "s",
            f"max(tramontane_ledger_oldest_seconds{{{R}}})",
            Step(10, "yellow"),
            Step(60, "red"),
        ),
        number(
            "Rows lost, last day",
            "That will never be in the ledger.",
            "none",
            f"sum(increase(tramontane_ledger_dropped_total{{{R}}}[1d]))"
            f" + sum(increase(tramontane_ledger_damaged_lost_total{{{R}}}[1d]))",
            Step(1, "red"),
        ),
        states(
            "Database away",
            "Red: the last write failed.",
            (f"max by (instance) (tramontane_ledger_database_away{{{R}}})", "{{instance}}"),
            Step(1, "red"),
            width=6,
            height=4,
        ),
        states(
            "Spool full",
            "Red: new requests are refused.",
            (f"max by (instance) (tramontane_ledger_spool_full{{{R}}})", "{{instance}}"),
            Step(1, "red"),
            width=6,
            height=4,
        ),
        lines(
            "Rows that wait",
            "In the spool, not known to be in the database.",
            "short",
            (f"sum by (instance) (tramontane_ledger_pending{{{R}}})", "{{instance}}"),
        ),
        lines(
            "Rows written",
            "Per second, those of dead routers included; failed transactions beside them.",
            "ops",
            (per_second(f"tramontane_ledger_written_total{{{R}}}"), "rows"),
            (per_second(f"tramontane_ledger_write_failures_total{{{R}}}"), "failed transactions"),
        ),
        lines(
            "Size of the spool",
            "On disk, and what the disk has refused and is in memory alone.",
            "bytes",
            (f"sum by (instance) (tramontane_ledger_spool_bytes{{{R}}})", "{{instance}} on disk"),
            (f"sum by (instance) (tramontane_ledger_spool_memory_bytes{{{R}}})", "{{instance}} in memory"),
        ),
        lines(
            "Rows in trouble",
            "Per hour. refused: by the database. damaged: unreadable or refused, set aside. dropped: lost.",
            "short",
            (f"sum(increase(tramontane_ledger_refused_total{{{R}}}[1h]))", "refused"),
            (f"sum(increase(tramontane_ledger_damaged_total{{{R}}}[1h]))", "damaged"),
            (f"sum(increase(tramontane_ledger_dropped_total{{{R}}}[1h]))", "dropped"),
            (f"sum(increase(tramontane_ledger_disk_failures_total{{{R}}}[1h]))", "failed writes to the disk"),
        ),
        lines(
            "Of dead routers",
            "Per hour: spools that were written to the end, and requests that were left without one.",
            "short",
            (f"sum(increase(tramontane_ledger_adopted_total{{{R}}}[1h]))", "spools adopted"),
            (f"sum(increase(tramontane_ledger_interrupted_total{{{R}}}[1h]))", "requests interrupted"),
        ),
        lines(
            "Requests under way",
            "Written down as begun and not as ended.",
            "short",
            (f"sum by (instance) (tramontane_ledger_under_way{{{R}}})", "{{instance}}"),
            stacked=True,
        ),
    ),
)

_KEPT = Row(
    "Kept answers and batches",
    (
        lines(
            "Answers to be stored",
            "Of /responses, waiting for the database.",
            "short",
            (f"sum(tramontane_responses_waiting{{{R}}})", "answers"),
            width=6,
        ),
        lines(
            "Bytes of these",
            "Bounded by responses.waiting_bytes; beyond it answers are not stored.",
            "bytes",
            (f"sum(tramontane_responses_waiting_bytes{{{R}}})", "bytes"),
            width=6,
        ),
        lines(
            "Answers stored",
            "Per second. dropped: asked to be stored and not stored.",
            "ops",
            (f"sum(rate(tramontane_responses_stored_total{{{R}}}{RATE}))", "stored"),
            (f"sum(rate(tramontane_responses_dropped_total{{{R}}}{RATE}))", "dropped"),
            (f"sum(rate(tramontane_responses_failures_total{{{R}}}{RATE}))", "failed transactions"),
            (f"sum(rate(tramontane_responses_swept_total{{{R}}}{RATE}))", "deleted with age"),
            width=12,
        ),
        lines(
            "Requests of batches under way",
            "Under way in each router.",
            "short",
            (f"sum by (instance) (tramontane_batch_requests_running{{{R}}})", "{{instance}}"),
            stacked=True,
        ),
        lines(
            "Requests of batches ended",
            "Per second, by result.",
            "reqps",
            (per_second(f"tramontane_batch_requests_total{{{R}}}", "result"), "{{result}}"),
            stacked=True,
        ),
        lines(
            "Batches",
            "Per hour: ended, attempts made again, requests that another router had taken over.",
            "short",
            (f"sum(increase(tramontane_batches_ended_total{{{R}}}[1h]))", "batches ended"),
            (f"sum(increase(tramontane_batch_retries_total{{{R}}}[1h]))", "attempts again"),
            (f"sum(increase(tramontane_batch_lost_claims_total{{{R}}}[1h]))", "claims lost"),
        ),
    ),
)

ACCOUNTS = Dashboard(
    uid="tramontane-accounts",
    title="Tramontane / Accounts and ledger",
    description="Who spends what, who is refused for it, and is every row on its way into the database?",
    variables=(JOB, INSTANCE, MODEL),
    rows=(_SPENDING, _KEYS, _LEDGER, _KEPT),
)
