"""Which pool last served a session well: its engines hold the conversation, so its next turn goes there again.

A session is what the caller names one (`session_id`, else `prompt_cache_key`), within one account and for one name of a
model. Whoever rests longer than the caches last begins anew. The number of sessions is bounded; the one that has rested
longest goes first.
"""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class FavouriteSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    idle_s: float = 600.0  # seconds without an answer after which a session is forgotten; OpenRouter's
    most: int = 20_000  # sessions: about 4 MB

    def __post_init__(self) -> None:
        if not self.idle_s >= 0:
            raise ValueError(f"idle_s must not be negative, got {self.idle_s}")
        if self.most < 1:
            raise ValueError(f"most must be at least 1, got {self.most}")


class Session(NamedTuple):
    """Whose, asked for by which name, and what the caller calls it."""

    account: str
    model: str
    name: str


class Favourites:
    """One per router. Times are seconds of one clock."""

    def __init__(self, settings: FavouriteSettings) -> None:
        self._settings = settings
        self._pools: dict[int, tuple[str, float]] = {}  # by a hash of the session, the longest at rest first

    def of(self, session: Session, now: float) -> str | None:
        """The pool's name, or None: nothing is known of the session."""
        known = self._pools.get(hash(session))
        if known is None or now - known[1] > self._settings.idle_s:
            return None
        return known[0]

    def note(self, session: Session, pool: str, now: float) -> None:
        """The pool has answered the session well."""
        mark = hash(session)
        if self._pools.pop(mark, None) is None and len(self._pools) >= self._settings.most:
            del self._pools[next(iter(self._pools))]
        self._pools[mark] = (pool, now)
