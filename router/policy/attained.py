"""What each account was served of late: the figure that fair shares are made by.

Service is counted in tokens, as "virtual token counter" does (VTC; Sheng et al., "Fairness in Serving Large Language
Models", 2024): uncached input + 2 x output, because a token of output takes longer. It decays with a half-life, as in
llm-d's program-aware fairness, so that nobody pays for yesterday.

What other routers served is added as they tell it.
"""

import heapq
import math
from collections.abc import Callable


def _nothing(account: str) -> float:
    """Of a router without sisters."""
    return 0.0


_NOTHING = 1.0  # tokens, below which an account is forgotten


class AttainedService:
    """One per router. All times are monotonic seconds.

    Args:
        half_life_s: until service counts half.
        output_weight: of a token of output, in tokens of input.
        max_accounts: that are remembered; the least served are forgotten first.
        peers: what all other routers together served of late, by account, in tokens as counted here.
    """

    def __init__(
        self,
        *,
        half_life_s: float,
        output_weight: float,
        max_accounts: int,
        peers: Callable[[str], float] = _nothing,
    ) -> None:
        self._half_life_s = half_life_s
        self._output_weight = output_weight
        self._max_accounts = max_accounts
        self._peers = peers
        self._served: dict[str, tuple[float, float]] = {}  # tokens, and when they were as many

    def __len__(self) -> int:
        """Accounts that are remembered."""
        return len(self._served)

    def fade(self, tokens: float, since: float, now: float) -> float:
        """What is left at `now` of a figure that was right at `since`."""
        return tokens * math.exp2((since - now) / self._half_life_s)

    def own(self, account: str, now: float) -> float:
        """Tokens that this router served."""
        served = self._served.get(account)
        return 0.0 if served is None else self.fade(*served, now)

    def total(self, account: str, now: float) -> float:
        """Tokens that all routers served."""
        return self.own(account, now) + self._peers(account)

    def add(self, account: str, now: float, *, uncached: float = 0, completion: float = 0) -> None:
        """An account was served so many tokens of input and output; fewer than none: what was added too much."""
        added = uncached + self._output_weight * completion
        self._served[account] = max(0.0, self.own(account, now) + added), now
        if len(self._served) > self._max_accounts:
            self._served = self._most_served(now, math.ceil(0.75 * self._max_accounts))

    def told(self, now: float, most: int = 256) -> dict[str, float]:
        """The `most` accounts that this router served most, for the others to know."""
        return {account: self.fade(*served, now) for account, served in self._most_served(now, most).items()}

    def _most_served(self, now: float, most: int) -> dict[str, tuple[float, float]]:
        left = ((self.fade(*served, now), account) for account, served in self._served.items())
        kept = heapq.nlargest(most, (each for each in left if each[0] >= _NOTHING))
        return {account: (tokens, now) for tokens, account in kept}
