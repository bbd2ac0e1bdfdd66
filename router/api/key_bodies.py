"""What may be said of a key on making or changing it: OpenRouter's fields, and ours for rates, priority and models."""

from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from router.api.management import moment, nano
from router.policy.call import Priority
from router.policy.key import DEFAULT_WORKSPACE, UNLIMITED, Interval, Rates
from router.protocol.errors import invalid
from router.protocol.secret import FreshKey
from router.store.key_records import KeyChange, Maybe, NewKey

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Usd = Annotated[float, Meta(ge=0, le=9e9)]
Reset = Literal["daily", "weekly", "monthly"]
Rate = Annotated[int, Meta(ge=1, le=10**12)]
Slugs = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...], Meta(min_length=1, max_length=1_000)]
PriorityName = Literal["batch", "normal", "critical"]
T = TypeVar("T")
Given: TypeAlias = T | UnsetType


class RatesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a key's rates; what is missing is unlimited."""

    requests_per_min: Rate | None = None
    tokens_per_min: Rate | None = None
    concurrent: Rate | None = None

    def rates(self) -> Rates:
        return Rates(self.requests_per_min, self.tokens_per_min, self.concurrent)


class External(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a key was made for."""

    user: Name


class CreateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /keys."""

    name: Name
    limit: Usd | None = None
    limit_reset: Reset | None = None
    expires_at: str | None = None
    include_byok_in_limit: bool = False
    workspace_id: Name = DEFAULT_WORKSPACE
    creator_user_id: Name | None = None
    external: External | None = None
    is_management: bool = False
    rates: RatesBody | None = None
    priority: PriorityName = "normal"
    allowed_models: Slugs | None = None
    allowed_providers: Slugs | None = None

    def new_key(self, fresh: FreshKey, unix_s: float) -> NewKey:
        """
        Args:
            fresh: its secret.
            unix_s: now.

        Raises:
            ApiError: 400.
        """
        return NewKey(
            id=fresh.id,
            label=fresh.label,
            name=self.name,
            workspace=self.workspace_id,
            is_management=self.is_management,
            expires_at=_future(self.expires_at, unix_s),
            limit=nano(self.limit),
            limit_reset=_interval(self.limit_reset),
            include_byok_in_limit=self.include_byok_in_limit,
            rates=UNLIMITED if self.rates is None else self.rates.rates(),
            priority=Priority[self.priority.upper()],
            models=self.allowed_models,
            providers=self.allowed_providers,
            creator=self.creator_user_id,
            external_user=None if self.external is None else self.external.user,
        )


class UpdateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PATCH /keys/{hash}. What is missing stays as it is."""

    name: Given[Name] = UNSET
    disabled: Given[bool] = UNSET
    limit: Given[Usd | None] = UNSET
    limit_reset: Given[Reset | None] = UNSET
    expires_at: Given[str | None] = UNSET
    include_byok_in_limit: Given[bool] = UNSET
    workspace_id: Given[Name] = UNSET
    rates: Given[RatesBody | None] = UNSET
    priority: Given[PriorityName] = UNSET
    allowed_models: Given[Slugs | None] = UNSET
    allowed_providers: Given[Slugs | None] = UNSET

    def change(self, unix_s: float) -> KeyChange:
        """
        Raises:
            ApiError: 400.
        """
        rates: Maybe[Rates] = UNSET
        if self.rates is not UNSET:
            rates = UNLIMITED if self.rates is None else self.rates.rates()
        return KeyChange(
            name=self.name,
            is_disabled=self.disabled,
            workspace=self.workspace_id,
            expires_at=UNSET if self.expires_at is UNSET else _future(self.expires_at, unix_s),
            limit=UNSET if self.limit is UNSET else nano(self.limit),
            limit_reset=UNSET if self.limit_reset is UNSET else _interval(self.limit_reset),
            include_byok_in_limit=self.include_byok_in_limit,
            rates=rates,
            priority=UNSET if self.priority is UNSET else Priority[self.priority.upper()],
            models=self.allowed_models,
            providers=self.allowed_providers,
        )


def _interval(reset: Reset | None) -> Interval:
    return Interval.LIFETIME if reset is None else Interval(reset)


def _future(text: str | None, unix_s: float) -> float | None:
    expires_at = moment("expires_at", text)
    if expires_at is not None and expires_at <= unix_s:
        raise invalid("expires_at", "must be in the future")
    return expires_at
