"""Does the ledger hold what the engines computed? Pure: sums in, a verdict for each pool out.

An engine counts every token that it generates. The ledger holds those of answers that came to their end, exactly, and
of answers that were cut short (the client left, the engine died) as many as the router saw. An engine may have been
some tokens further when it was told to stop, so it may be ahead by so many for each answer that was cut short, and for
each attempt that was given up for another. The ledger is never ahead, but for what nobody read off an engine before it
died.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router.store.meter import Increase
from router.store.sums import PoolSum


@dataclass(frozen=True, slots=True)
class Slack:
    """What may differ, in tokens."""

    per_cut: int  # that an engine generates before it hears that nobody listens any more
    missed: int  # of each pool, that its engines counted after they were looked at for the last time


@dataclass(frozen=True, slots=True)
class Balance:
    """One pool."""

    pool: str
    engines: int | None  # tokens that its engines generated; None: they do not say, as other providers' do not
    exact: int  # tokens of rows that the engines counted
    inexact: int  # tokens of rows that the router counted
    cut: int  # rows that the router counted
    given_up: int  # attempts of any pool that were given up for another
    slack: Slack

    @property
    def ledger(self) -> int:
        return self.exact + self.inexact

    @property
    def difference(self) -> int | None:
        """By which the engines are ahead."""
        return None if self.engines is None else self.engines - self.ledger

    @property
    def allowed(self) -> int:
        """By how much they may be."""
        return self.slack.per_cut * (self.cut + self.given_up)

    @property
    def is_explained(self) -> bool:
        return self.difference is None or -self.slack.missed <= self.difference <= self.allowed


def balances(sums: Iterable[PoolSum], increases: Sequence[Increase], given_up: int, slack: Slack) -> list[Balance]:
    """Of each pool that anything is known of, in the order of their names. Rows that reached no pool hold no token."""
    engines = {increase.pool: increase.generation_tokens for increase in increases}
    rows: dict[str, dict[bool, PoolSum]] = {pool: {} for pool in engines}
    for each in sums:
        if each.pool:
            rows.setdefault(each.pool, {})[each.is_exact] = each
    return [
        Balance(
            pool=pool,
            engines=engines.get(pool),
            exact=found[True].completion_tokens if True in found else 0,
            inexact=found[False].completion_tokens if False in found else 0,
            cut=found[False].rows if False in found else 0,
            given_up=given_up,
            slack=slack,
        )
        for pool, found in sorted(rows.items())
    ]
