"""Any interleaving of requests, borrowing and writing, in one router and in several that share a database.

What the database does and what a router hears of it are two events, between which anything may happen; and an answer
may be lost. A router talks to the database about leases one thing at a time, and writes rows beside that.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.policy.allowances import together
from router.policy.key import Budget, Interval, Key, Rates, Scope, Window
from router.policy.lending import Grant, Want
from router.policy.quota import DenialReason, Denied, Permit, Quotas, QuotaSettings
from tests.router.policy.bank import Bank

START = 1_764_028_800.0  # unix seconds, a midnight
COSTS = (0, 3, 20, 33, 40)  # estimates, nano-dollars
DEAREST = max(COSTS)
SHARES = (0.0, 0.4, 1.0, 1.0, 1.0)  # of the estimate that it comes to
PAUSES = (0.1, 0.1, 1.1, 1.1, 31.0)  # seconds
MOST_AT_A_TIME = 6  # requests of a router

WORKSPACE = Budget(Scope.WORKSPACE, "workspace:w", Interval.DAILY, 150, "b")
KEYS = tuple(
    Key(
        name,
        name,
        rates=Rates(requests_per_min=60, tokens_per_min=4_000, concurrent=3 * MOST_AT_A_TIME),
        budgets=(
            Budget(Scope.GUARDRAIL, f"key:{name}", Interval.LIFETIME, guarded, "g"),
            WORKSPACE,
            Budget(Scope.KEY, f"key:{name}", Interval.LIFETIME, limit),
        ),
    )
    for name, guarded, limit in (("a", 120, 100), ("b", 90, 110))
)


@dataclass(eq=False)
class Request:
    permit: Permit
    key: Key
    cost: int
    unix_s: float

    def windows(self) -> set[Window]:
        return {budget.window(self.unix_s) for budget in self.key.budgets}


@dataclass(eq=False)
class Row:
    windows: set[Window]
    cost: int


@dataclass
class Router:
    name: str
    quotas: Quotas = field(default_factory=lambda: Quotas(QuotaSettings()))
    waiting: list[tuple[Request, Sequence[Want]]] = field(default_factory=list)
    under_way: list[Request] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)  # settled, not yet in the database
    untold: list[Row] = field(default_factory=list)  # in the database, and not heard of
    answer: Callable[[], None] | None = None  # of the database, about leases; not heard yet

    @property
    def is_silent(self) -> bool:
        """It awaits no answer."""
        return self.answer is None


class World:
    """Routers and their database. Every happening takes two numbers, which choose among what there is."""

    def __init__(self, routers: int) -> None:
        self.bank = Bank()
        self.now = 0.0
        self.routers = [Router(f"r{number}") for number in range(routers)]
        self.limits: dict[Window, int] = {}
        self.settled: Counter[Window] = Counter()
        self.seen: Counter[str] = Counter()

    @property
    def unix_s(self) -> float:
        return START + self.now

    def one(self, which: int, what: str = "name") -> Router | None:
        """One of the routers that have such a thing."""
        having = [router for router in self.routers if getattr(router, what)]
        return having[which % len(having)] if having else None

    # requests

    def begin(self, which: int, other: int) -> None:
        router, key = self.routers[which % len(self.routers)], KEYS[which % len(KEYS)]
        if len(router.under_way) + len(router.waiting) >= MOST_AT_A_TIME:
            return
        permit = router.quotas.admit(key, self.now, len(self.routers))
        if isinstance(permit, Permit):
            self.try_to_reserve(router, Request(permit, key, COSTS[other % len(COSTS)], self.unix_s))
        else:
            assert permit.reason is DenialReason.REQUESTS

    def try_to_reserve(self, router: Router, request: Request) -> None:
        for budget in request.key.budgets:
            window = budget.window(request.unix_s)
            self.limits[window] = min(budget.limit, self.limits.get(window, budget.limit))
        answer = request.permit.reserve(request.cost, request.cost, self.now, request.unix_s)
        if answer is None:
            router.under_way.append(request)
        elif isinstance(answer, Denied):
            self.check_denial(request, answer)
        else:
            router.waiting.append((request, answer))

    def check_denial(self, request: Request, denied: Denied) -> None:
        self.seen[denied.reason.value] += 1
        if denied.budget is None:
            assert denied.reason is DenialReason.TOKENS
            return
        assert denied.budget in request.key.budgets
        if denied.reason is DenialReason.BUDGET_SPENT:
            assert self.bank.spent[denied.budget.window(request.unix_s)] >= denied.budget.limit

    def settle(self, which: int, other: int) -> None:
        if router := self.one(which, "under_way"):
            request = router.under_way.pop(other % len(router.under_way))
            actual = int(SHARES[other % len(SHARES)] * request.cost)
            request.permit.settle(actual, actual, self.now)
            router.rows.append(Row(request.windows(), actual))
            for window in request.windows():
                self.settled[window] += actual
            if which % 2:
                request.permit.release(self.now)
                request.permit.settle(actual, actual, self.now)

    def fail(self, which: int, other: int) -> None:
        if router := self.one(which, "under_way"):
            router.under_way.pop(other % len(router.under_way)).permit.release(self.now, is_ours=bool(which % 2))

    def lose_patience(self, which: int, other: int) -> None:
        if router := self.one(which, "waiting"):
            request, _ = router.waiting.pop(other % len(router.waiting))
            request.permit.release(self.now)

    # the database, about leases

    def borrow(self, which: int, _: int) -> None:
        if router := self.one(which, "is_silent"):
            wants = [want for _, wants in router.waiting for want in wants]
            wants += router.quotas.allowances.refills(self.now)
            if wants:
                grants = self.bank.borrow(router.name, together(wants))
                router.answer = lambda: self.grant(router, grants)

    def grant(self, router: Router, grants: list[Grant]) -> None:
        for grant in grants:
            router.quotas.allowances.granted(grant, self.now)

    def renew(self, which: int, _: int) -> None:
        if router := self.one(which, "is_silent"):
            held = self.bank.renew(router.name)
            router.answer = lambda: router.quotas.allowances.renewed(held, self.now)

    def give_back(self, which: int, other: int) -> None:
        if router := self.one(which, "is_silent"):
            amounts = router.quotas.allowances.surplus(self.now, self.unix_s)
            if other % 4:  # or else it is lost on its way
                self.bank.give_back(router.name, amounts)

    def hear(self, which: int, other: int) -> None:
        router = self.one(which, "answer")
        if router is None or router.answer is None:
            return
        answer, router.answer = router.answer, None
        if other % 8:  # or else it is lost on its way
            answer()
            waiting, router.waiting = router.waiting, []
            for request, _ in waiting:
                self.try_to_reserve(router, request)

    # the database, about rows

    def write(self, which: int, other: int) -> None:
        router = self.one(which, "rows")
        if router and not router.untold:
            most = 1 + other % 3
            router.untold, router.rows = router.rows[:most], router.rows[most:]
            for row in router.untold:
                for window in row.windows:
                    self.bank.write(router.name, window, row.cost)

    def hear_what_was_written(self, which: int, _: int) -> None:
        if router := self.one(which, "untold"):
            untold, router.untold = router.untold, []
            for row in untold:
                for window in row.windows:
                    router.quotas.allowances.written(window, row.cost)

    def wait(self, which: int, _: int) -> None:
        self.now += PAUSES[which % len(PAUSES)]

    def wait_for_another_day(self, which: int, other: int) -> None:
        if which == other:
            self.now += 86_400.0

    # what must hold at any time

    def check(self) -> None:
        lent: Counter[Window] = Counter()
        for (_, window), amount in self.bank.leases.items():
            lent[window] += amount
        for window, limit in self.limits.items():
            assert self.settled[window] <= limit + DEAREST
            assert self.bank.spent[window] + lent[window] <= limit + DEAREST
        for router in self.routers:
            assert len(router.under_way) + len(router.waiting) == router.quotas.in_flight
            assert sum(request.cost for request in router.under_way) == router.quotas.reserved
            for window in self.limits:
                if (of := router.quotas.allowances.of(window)) is not None:
                    untold = sum(row.cost for row in router.untold if window in row.windows)
                    rows = sum(row.cost for row in router.rows if window in row.windows)
                    assert of.held <= self.bank.leases[router.name, window] + untold  # of what it believes to hold
                    assert of.unwritten == rows + untold
                    assert of.reserved == sum(each.cost for each in router.under_way if window in each.windows())
                    assert 0 <= of.available

    # and at rest

    def end(self) -> None:
        """At rest nothing is held, no money is out of sight, and what is left can be spent."""
        for router in self.routers:
            self.rest(router)
        assert not any(self.bank.leases.values())
        assert +self.settled == +Counter(self.bank.spent)
        for key in KEYS:
            self.has_what_is_left(self.routers[0], key)

    def rest(self, router: Router) -> None:
        """Let everything end, and be written and heard of."""
        quotas = router.quotas
        for request in [*router.under_way, *(request for request, _ in router.waiting)]:
            request.permit.release(self.now)
        router.under_way, router.waiting = [], []
        if router.answer is not None:
            router.answer()
            router.answer = None
        rows, router.rows = [*router.untold, *router.rows], []
        for row in rows:
            for window in row.windows:
                if row not in router.untold:
                    self.bank.write(router.name, window, row.cost)
                quotas.allowances.written(window, row.cost)
        router.untold = []
        assert (0, 0) == (quotas.in_flight, quotas.reserved)
        for _ in range(2):
            quotas.allowances.renewed(self.bank.renew(router.name), self.now)
        self.now += 31.0
        self.bank.give_back(router.name, quotas.allowances.surplus(self.now, self.unix_s))
        assert (0, 0) == (len(quotas.allowances), quotas.allowances.held)

    def has_what_is_left(self, router: Router, key: Key) -> None:
        self.now += 3_601.0
        permit = router.quotas.admit(key, self.now, len(self.routers))
        assert isinstance(permit, Permit)
        request = Request(permit, key, DEAREST, self.unix_s)
        self.try_to_reserve(router, request)
        self.grant(router, self.bank.borrow(router.name, router.waiting.pop()[1]))
        self.try_to_reserve(router, request)
        is_left = all(self.bank.spent[window] < self.limits[window] for window in request.windows())
        assert is_left == (request in router.under_way)
        self.rest(router)


HAPPENINGS = (
    *(World.begin, World.settle, World.borrow, World.hear, World.write, World.hear_what_was_written) * 3,
    *(World.wait, World.renew, World.give_back) * 2,
    *(World.fail, World.lose_patience, World.wait_for_another_day),
)


@pytest.mark.parametrize("routers", [1, 3])
def test_no_limit_is_overspent_by_more_than_one_estimate_and_nothing_gets_lost(routers: int) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=100, deadline=None)
    @given(st.binary(min_size=300, max_size=800))
    def try_any(choices: bytes) -> None:
        """Two bytes choose what happens: much faster to make up than lists of choices."""
        world = World(routers)
        for what, whom in zip(choices[::2], choices[1::2], strict=False):
            HAPPENINGS[what % len(HAPPENINGS)](world, whom >> 4, whom & 15)
            world.check()
        world.end()
        seen.update(world.seen)

    try_any()
    assert {DenialReason.BUDGET_SPENT.value, DenialReason.BUDGET_IN_FLIGHT.value} <= seen.keys()
