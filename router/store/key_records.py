"""Keys as the management API and the command line see them. Values only; importing this needs no database.

Amounts are nano-dollars, times unix seconds. In a change, what is UNSET stays as it is.
"""

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from msgspec import UNSET, UnsetType

from router.policy.call import Priority
from router.policy.key import DEFAULT_WORKSPACE, UNLIMITED, Interval, Rates

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one owner, in the windows that hold the moment that was asked about."""

    total: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    def over(self, interval: Interval) -> int:
        match interval:
            case Interval.DAILY:
                return self.daily
            case Interval.WEEKLY:
                return self.weekly
            case Interval.MONTHLY:
                return self.monthly
            case Interval.LIFETIME:
                return self.total


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to make. Its secret is not among what is told to the database."""

    id: str  # SHA-256 of the secret, lower-case hexadecimal
    label: str  # sk-or-v1-abc...123
    name: str
    workspace: str = DEFAULT_WORKSPACE
    is_management: bool = False
    expires_at: float | None = None
    limit: int | None = None
    limit_reset: Interval = Interval.LIFETIME  # lifetime: the limit never resets
    include_byok_in_limit: bool = False
    rates: Rates = UNLIMITED
    priority: Priority = Priority.NORMAL  # the most that its holder may ask for
    models: tuple[str, ...] | None = None  # that may be asked for; None: all
    providers: tuple[str, ...] | None = None
    creator: str | None = None
    external_user: str | None = None


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What to change about a key."""

    name: Maybe[str] = UNSET
    is_disabled: Maybe[bool] = UNSET
    workspace: Maybe[str] = UNSET
    expires_at: Maybe[float | None] = UNSET
    limit: Maybe[int | None] = UNSET
    limit_reset: Maybe[Interval] = UNSET
    include_byok_in_limit: Maybe[bool] = UNSET
    rates: Maybe[Rates] = UNSET
    priority: Maybe[Priority] = UNSET
    models: Maybe[tuple[str, ...] | None] = UNSET
    providers: Maybe[tuple[str, ...] | None] = UNSET


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """All that is known of a key but its secret."""

    id: str
    label: str
    name: str
    workspace: str
    is_management: bool
    is_disabled: bool
    expires_at: float | None
    limit: int | None
    limit_reset: Interval
    include_byok_in_limit: bool
    rates: Rates
    priority: Priority
    models: tuple[str, ...] | None
    providers: tuple[str, ...] | None
    creator: str | None
    external_user: str | None
    created_at: float
    updated_at: float | None
    last_used_at: float | None
    spent: Spent

    @property
    def limit_remaining(self) -> int | None:
        """Of the present window; below 0 where the last request cost more than was left."""
        return None if self.limit is None else self.limit - self.spent.over(self.limit_reset)
