"""All that this router holds of budgets: reserved by requests, settled, written, borrowed and given back.

Whoever talks to the database does so for one thing at a time (borrow, renew, give back), and tells the answer here
before the next. Rows of the ledger are written beside that, at any time.

Windows of which nothing is held, and which nobody uses, are forgotten.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from router.policy.allowance import Allowance, AllowanceSettings
from router.policy.key import Window
from router.policy.lending import Grant, Want

_SWEEP_FROM = 1024  # windows; fewer are not searched for some that can be forgotten


class Allowances:
    """One per router. Amounts in nano-dollars, `now` in monotonic seconds.

    `on_low` is called when there is something new to borrow ahead of need, see `refills`; to be assigned.
    """

    def __init__(self, settings: AllowanceSettings) -> None:
        self._settings = settings
        self._by_window: dict[Window, Allowance] = {}
        self._low: dict[Window, None] = {}
        self._sweep_at = _SWEEP_FROM
        self.on_low: Callable[[], None] = _nobody_listens

    def __len__(self) -> int:
        """Windows that are known."""
        return len(self._by_window)

    @property
    def held(self) -> int:
        """Of all windows together."""
        return sum(allowance.held for allowance in self._by_window.values())

    def of(self, window: Window) -> Allowance | None:
        """None: nothing is held of it, and nothing known."""
        return self._by_window.get(window)

    def reserve(self, limits: Mapping[Window, int], cost: int, now: float) -> tuple[Want, ...]:
        """Reserve `cost` in every window, or in none; then what is returned must be borrowed first.

        `limits`: of each window, the tightest that applies.
        """
        if cost <= 0:
            return ()
        allowances = [(window, limit, self._get(window, now)) for window, limit in limits.items()]
        wants = [allowance.want(window, limit, cost, now) for window, limit, allowance in allowances]
        if any(wants):
            return tuple(want for want in wants if want is not None)
        is_low = False
        for window, _, allowance in allowances:
            if allowance.reserve(cost, now):
                self._low[window] = None
                is_low = True
        if is_low:
            self.on_low()
        return ()

    def refusal(self, window: Window, limit: int, now: float) -> int | None:
        """What was spent when the database said, just now, that nothing is left of such a limit; None: it did not."""
        allowance = self._by_window.get(window)
        return allowance.spent if allowance is not None and allowance.was_refused(limit, now) else None

    def settle(self, windows: Iterable[Window], estimate: int, actual: int, now: float) -> None:
        """What was reserved has become a cost, which will be written; 0: nothing came of it."""
        if estimate == actual == 0:
            return
        for window in windows:
            allowance = self._get(window, now)
            allowance.reserved -= estimate
            allowance.unwritten += actual

    def written(self, window: Window, cost: int) -> None:
        """A row of this router's has been added to what is spent of a window, and taken from its lease."""
        if (allowance := self._by_window.get(window)) is not None:
            allowance.written(cost)

    def dropped(self, window: Window, cost: int) -> None:
        """A row of this router's will never be written: the database holds it against nobody."""
        if (allowance := self._by_window.get(window)) is not None:
            allowance.unwritten = max(0, allowance.unwritten - cost)

    def refills(self, now: float) -> tuple[Want, ...]:
        """What should be borrowed ahead of need, each told once."""
        low, self._low = self._low, {}
        wants = [allowance.refill(window, now) for window in low if (allowance := self._by_window.get(window))]
        return tuple(want for want in wants if want is not None)

    def granted(self, grant: Grant, now: float) -> None:
        """The database has answered a want."""
        self._get(grant.window, now).granted(grant, now)

    def renewed(self, held: Mapping[Window, int], now: float) -> None:
        """The database has renewed these leases, which are all that it knows of this router's."""
        for window in held:
            self._get(window, now)
        for window, allowance in self._by_window.items():
            allowance.renewed(held.get(window, 0))

    def surplus(self, now: float, unix_s: float) -> dict[Window, int]:
        """Amounts to give back to the database: from now on they are not held.

        They are what is available of windows that are over, that were not used for a while, or of which the last want
        was refused: then others, or this router with a fresh want, may use the little that it had.
        """
        amounts: dict[Window, int] = {}
        for window, allowance in list(self._by_window.items()):
            is_idle = self._is_idle(allowance, now) or _is_over(window, unix_s)
            if (is_idle or allowance.is_refused) and (amount := allowance.surrender()):
                amounts[window] = amount
            if is_idle and allowance.is_empty:
                del self._by_window[window]
        return amounts

    def _get(self, window: Window, now: float) -> Allowance:
        allowance = self._by_window.get(window)
        if allowance is None:
            if len(self._by_window) >= self._sweep_at:
                self._sweep(now)
            allowance = self._by_window[window] = Allowance(self._settings, now)
        return allowance

    def _sweep(self, now: float) -> None:
        """Where nobody asks for the surplus, there is nobody to borrow from either, and windows are empty."""
        for window, allowance in list(self._by_window.items()):
            if allowance.is_empty and self._is_idle(allowance, now):
                del self._by_window[window]
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._by_window))

    def _is_idle(self, allowance: Allowance, now: float) -> bool:
        return now >= allowance.used_at + self._settings.idle_s


def together(wants: Iterable[Want]) -> tuple[Want, ...]:
    """One want for each window, of requests that run short at the same time.

    It needs no more than the dearest of them, because a need is granted beyond the limit; it would like what all need.
    """
    merged: dict[Window, Want] = {}
    needs: dict[Window, int] = {}
    for want in wants:
        needs[want.window] = needs.get(want.window, 0) + want.need
        other = merged.setdefault(want.window, want)
        dearest = max(other, want, key=lambda each: each.need)
        merged[want.window] = replace(dearest, limit=min(want.limit, other.limit), wish=max(want.wish, other.wish))
    return tuple(replace(want, wish=max(want.wish, needs[want.window])) for want in merged.values())


def _is_over(window: Window, unix_s: float) -> bool:
    end = window.interval.end(window.start)
    return end is not None and end <= unix_s


def _nobody_listens() -> None:
    pass
