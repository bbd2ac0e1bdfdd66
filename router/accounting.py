"""What a request may cost is reserved before it is sent, and what it did cost is written down before its end is told.

    admit (rates) → open (reserve, write that it began) → close (settle, write what it came to)

A ticket is closed before the last byte goes to the client, so that whoever has an answer has a row in the ledger, and
again at the end of every path: only the first time counts. What decides is in `policy/quota.py`, what is written goes
to the journal (the spool, see `store/`), and nobody waits for a database but who needs more of a budget than this
router holds of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from router import ledger_row
from router.generation import Generation
from router.policy.estimate import expected_cost
from router.policy.key import NANO, Key
from router.policy.lending import Want
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.quota import DenialReason, Denied, Permit, Quotas, Standing
from router.protocol.denials import of_denial
from router.protocol.entry import Entry, Opened
from router.protocol.errors import ApiError
from router.protocol.usage import cost, insured

Borrow = Callable[[Sequence[Want]], Awaitable[bool]]

_ROUNDS = 16  # borrowings for one request: others may be quicker to take what was lent
_CONTENDED_S = 1.0  # Retry-After of a budget whose rest many want at the same moment
_RETRY_AFTER_S = 5.0  # of a database that is away
_CHARGED = frozenset({Verdict.OK, Verdict.CANCELLED})  # a client that left pays what it got; an error costs nothing
_CALLERS = _CHARGED | {Verdict.REJECTED}  # these ends count against the requests that the key may send
_UNKNOWN = Outcome(Verdict.UNAVAILABLE)  # of a request that failed in a way nobody foresaw
_NOTHING = Usage(is_exact=False)


class Journal(Protocol):
    """Where it is written that requests begin and how they end. Neither waits nor raises."""

    @property
    def has_room(self) -> bool: ...
    def opened(self, opened: Opened) -> None: ...
    def closed(self, entry: Entry) -> None: ...


class Accounting:
    """One per router."""

    def __init__(
        self,
        quotas: Quotas,
        *,
        journal: Journal | None,
        borrow: Borrow | None,
        router: str,
        routers: Callable[[], int],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        on_denied: Callable[[DenialReason], None] = lambda reason: None,
    ) -> None:
        """A router without a database has no journal, and nobody to borrow from.

        Args:
            quotas: who may have how much.
            journal: where requests are written down.
            borrow: gets more of budgets; its result is False if nobody could be asked.
            router: boot id of this one.
            routers: how many share the rates of each key, this one included.
            clock: monotonic seconds.
            wall_clock: unix seconds.
            on_denied: hears of whom quotas refuse.
        """
        self.quotas = quotas
        self.journal = journal
        self.borrow = borrow
        self.router = router
        self.clock = clock
        self.wall_clock = wall_clock
        self._routers = routers
        self._on_denied = on_denied

    def admit(self, key: Key) -> "Ticket":
        """Let one more request of a key begin; its ticket must be closed.

        Raises:
            ApiError: 429, the key's rates; 503, what is written can grow no more.
        """
        if self.journal is not None and not self.journal.has_room:
            raise ApiError(
                "provider_overloaded",
                "The ledger can take no more at the moment. Please try again later.",
                metadata={"reason": "ledger_full"},
                retry_after_s=_RETRY_AFTER_S,
            )
        permit = self.quotas.admit(key, self.clock(), self._routers())
        if isinstance(permit, Denied):
            raise self.refusal(permit)
        return Ticket(self, permit)

    def refusal(self, denied: Denied) -> ApiError:
        """What the caller is told."""
        self._on_denied(denied.reason)
        return of_denial(denied, self.wall_clock())


class Ticket:
    """What one request holds of its key's quotas."""

    __slots__ = ("_accounting", "_is_open", "_permit")

    def __init__(self, accounting: Accounting, permit: Permit) -> None:
        self._accounting = accounting
        self._permit: Permit | None = permit
        self._is_open = False

    @property
    def standing(self) -> Standing | None:
        """How many more requests the key may send this minute; None: as many as it likes."""
        return None if self._permit is None else self._permit.standing(self._accounting.clock())

    def open_free(self, generation: Generation) -> None:
        """Write down that a request begins which costs nothing: nothing is reserved for it."""
        self._is_open = True
        if self._accounting.journal is not None:
            self._accounting.journal.opened(ledger_row.opened(generation, self._accounting.router))

    async def open(self, generation: Generation) -> None:
        """Reserve the most that the request may cost, over the pools that may serve it, and write down that it begins.

        Raises:
            ApiError: 402, 403, 429: it may not be sent; 503: its budget cannot be asked for.
        """
        assert self._permit is not None
        if generation.request.kind.is_free:
            return  # counts as a request, and that is all
        accounting, call = self._accounting, generation.request.call
        estimate = expected_cost(call, generation.pools, choices=generation.request.choices)
        for left in reversed(range(_ROUNDS)):
            wants = self._permit.reserve(estimate.tokens, estimate.cost, accounting.clock(), generation.created)
            if wants is None:
                break
            if isinstance(wants, Denied):
                raise accounting.refusal(wants)
            if not left:
                raise accounting.refusal(_contended(generation.key, wants[0]))
            if accounting.borrow is None or not await accounting.borrow(wants):
                raise _nobody_lends()
        self._is_open = True
        if accounting.journal is not None:
            accounting.journal.opened(ledger_row.opened(generation, accounting.router))

    def close(self, generation: Generation | None = None) -> None:
        """Settle, whatever became of the request, and write it down if it was opened. Further calls do nothing.

        None: it was refused before it was understood.
        """
        permit, self._permit = self._permit, None
        if permit is None:
            return
        accounting, now = self._accounting, self._accounting.clock()
        if generation is None or not self._is_open:
            permit.release(now)
            return
        outcome, usage, charged = generation.outcome or _UNKNOWN, generation.usage or _NOTHING, _charge(generation)
        is_ours = outcome.verdict not in _CALLERS
        permit.settle(usage.total_tokens, charged, now, is_ours=is_ours)
        if accounting.journal is not None:
            row = ledger_row.entry(
                generation, outcome, usage, charged, router=accounting.router, now=now, trace=generation.trace
            )
            accounting.journal.closed(row)


def _contended(key: Key, want: Want) -> Denied:
    """The rest of a budget went to others each time that it was lent."""
    budget = next(each for each in key.budgets if each.owner == want.window.owner)
    return Denied(DenialReason.BUDGET_IN_FLIGHT, budget.limit, 0, _CONTENDED_S, budget)


def _charge(generation: Generation) -> int:
    """Nano-dollars."""
    outcome, pool, usage = generation.outcome, generation.pool, generation.usage
    if outcome is None or outcome.verdict not in _CHARGED or pool is None or usage is None:
        return 0
    has_tokens = generation.request.kind.output == "text"
    price = insured(pool.price, usage, generation.finish_reason) if has_tokens else pool.price
    return round(cost(usage, price) * NANO)


def _nobody_lends() -> ApiError:
    return ApiError(
        "provider_overloaded",
        "The rest of this key's budget cannot be told at the moment. Please try again shortly.",
        metadata={"reason": "budget_unknown"},
        retry_after_s=_RETRY_AFTER_S,
    )
