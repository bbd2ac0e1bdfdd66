"""What routers and the database say to each other about budgets. Values only.

Each router holds part of a budget's remainder, its lease, and spends from it without asking. The sum of what is spent
and of all leases never exceeds the limit by more than one request's estimate.
"""

from dataclasses import dataclass

from router.policy.key import Window


@dataclass(frozen=True, slots=True)
class Want:
    """A router asks for more of a budget. Amounts in nano-dollars."""

    window: Window
    limit: int  # of the tightest budget over this window
    need: int  # that it must get for the request that waits; 0: it would only like to be ahead
    wish: int  # that it would like to get, if so much is left
    # what the router has already of the waiting request's estimate, which is need + have: it is granted its need as
    # long as left + have > 0, so that a limit is overdrawn by less than that estimate, and nothing is left unused
    have: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer: what the router holds of that window from now on, all its earlier grants included."""

    window: Window
    held: int  # nano-dollars of its lease, which covers what is reserved and what is settled but not yet written
    granted: int  # of it by this very want; 0: refused
    spent: int  # written so far, by everybody
