"""Who a batch belongs to, by the id of its key: as it is now, not as it was when the batch was made."""

from collections.abc import Callable, Iterable
from typing import Protocol

from router.policy.key import Key
from router.protocol.errors import ApiError
from router.store.away import DatabaseAway
from router.store.known_keys import TooManyWait

_RETRY_AFTER_S = 5.0


class Finds(Protocol):
    """See `known_keys.KnownKeys`."""

    async def find(self, key_id: str) -> Key | None: ...


class Callers:
    """One per router.

    Args:
        configured: keys that are in no database, `anonymous` too where it may ask.
        known: keys of the database.
        wall_clock: unix seconds.
    """

    def __init__(self, configured: Iterable[Key], known: Finds, *, wall_clock: Callable[[], float]) -> None:
        self._configured = {key.id: key for key in configured}
        self._known = known
        self._wall_clock = wall_clock

    async def find(self, key_id: str) -> Key:
        """
        Raises:
            ApiError: 401, it is gone, disabled or expired; 503, that cannot be told at the moment.
        """
        key = self._configured.get(key_id)
        if key is None:
            try:
                key = await self._known.find(key_id)
            except (DatabaseAway, TooManyWait):
                problem = "The key cannot be checked at the moment."
                raise ApiError("provider_overloaded", problem, retry_after_s=_RETRY_AFTER_S) from None
        if key is None or key.is_management:
            raise ApiError("authentication", "The key of this batch is gone.")
        if key.is_disabled:
            raise ApiError("authentication", "The key of this batch is disabled.")
        if key.has_expired(self._wall_clock()):
            raise ApiError("authentication", "The key of this batch has expired.")
        return key
