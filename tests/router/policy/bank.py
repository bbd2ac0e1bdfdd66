"""The database's side of budgets, in memory, by the rule that they are lent by."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from router.policy.key import Window
from router.policy.lending import Grant, Want


class Bank:
    """What is spent and what all hold never exceeds a limit, but by the need of the last who found anything left."""

    def __init__(self) -> None:
        self.spent: defaultdict[Window, int] = defaultdict(int)
        self.leases: defaultdict[tuple[str, Window], int] = defaultdict(int)
        self.borrowings = 0

    def lent(self, window: Window) -> int:
        return sum(amount for (_, of), amount in self.leases.items() if of == window)

    def borrow(self, router: str, wants: Iterable[Want]) -> list[Grant]:
        self.borrowings += 1
        return [self._borrow(router, want) for want in wants]

    def _borrow(self, router: str, want: Want) -> Grant:
        window = want.window
        left = want.limit - self.spent[window] - self.lent(window)
        granted = max(want.need, min(want.wish, left), 0) if left + want.have > 0 else 0
        self.leases[router, window] += granted
        return Grant(window, self.leases[router, window], granted, self.spent[window])

    def write(self, router: str, window: Window, cost: int) -> None:
        self.spent[window] += cost
        self.leases[router, window] = max(0, self.leases[router, window] - cost)

    def give_back(self, router: str, amounts: Mapping[Window, int]) -> None:
        for window, amount in amounts.items():
            self.leases[router, window] = max(0, self.leases[router, window] - amount)

    def renew(self, router: str) -> dict[Window, int]:
        return {window: amount for (of, window), amount in self.leases.items() if of == router and amount > 0}
