"""A plan in the making: which pools are in, in groups that are ordered each for itself, and why others are out.

Every pool is in or out, and once: a pool that was out by one name of a model (`:free`) is in by another that asks less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.policy.auto import ANY_MODEL, AutoRouter
from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.eligible import why_not
from router.policy.key import ANONYMOUS, Key
from router.policy.model_names import Asked
from router.policy.parameters import PREFERRED, unsupported
from router.policy.preferences import NO_PREFERENCES, Preferences, Sort, is_among

_NO_PARAMETERS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a call is served, beside what it says itself."""

    key: Key = ANONYMOUS
    preferences: Preferences = NO_PREFERENCES  # the caller's `provider` object
    parameters: frozenset[str] = _NO_PARAMETERS  # names of the request's fields
    session: str | None = None  # what the caller calls the conversation
    auto: AutoRouter = ANY_MODEL  # what `openrouter/auto` may choose
    cannot: Callable[[Pool], str | None] | None = None  # why a pool cannot be asked this in its words; None: it can


UNCONDITIONAL = Conditions()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A pool that cannot serve the call, and why (a word of OpenRouter's `availability.excluded_by`)."""

    pool: Pool
    reason: str


class Draft:
    """Of one call."""

    __slots__ = ("_call", "_conditions", "_excluded", "_planned", "groups")

    def __init__(self, call: Call, conditions: Conditions) -> None:
        self._call = call
        self._conditions = conditions
        self._excluded: dict[str, Exclusion] = {}  # by the pool's name
        self._planned: set[str] = set()
        self.groups: list[tuple[Sequence[Pool], Sort | None]] = []

    @property
    def excluded(self) -> tuple[Exclusion, ...]:
        """Those that are out."""
        return tuple(self._excluded.values())

    def take(self, asked: Asked, pools: Sequence[Pool]) -> Sequence[Pool]:
        """Those that may serve the call and are not in yet: from now on they are."""
        found = []
        for pool in pools:
            if pool.name in self._planned:
                continue
            reason = self._why_not(asked, pool)
            if reason is None:
                found.append(pool)
                self._planned.add(pool.name)
                self._excluded.pop(pool.name, None)
            else:
                self._excluded.setdefault(pool.name, Exclusion(pool, reason))
        return found

    def leave_out(self, pools: Sequence[Pool], reason: str) -> None:
        """They are out after all."""
        self._excluded |= {pool.name: Exclusion(pool, reason) for pool in pools}

    def leave_out_if_none_obeys(self, parameter: str) -> None:
        """All are out if the call has this parameter and no pool obeys it."""
        if parameter not in self._conditions.parameters:
            return
        one = frozenset({parameter})
        for members, _ in self.groups:
            for pool in members:
                if not unsupported(one, pool):
                    return
        self.leave_out([pool for members, _ in self.groups for pool in members], parameter)
        self.groups.clear()

    def without_fallbacks(self, pools: Sequence[Pool]) -> Sequence[Pool]:
        """Of pools in order the first, or those that the caller ordered by name; the others are out."""
        order = self._conditions.preferences.order
        kept = [pool for pool in pools if is_among(pool, order)] if order else pools[:1]
        self.leave_out([pool for pool in pools if pool not in kept], "allow_fallbacks")
        return kept

    def _why_not(self, asked: Asked, pool: Pool) -> str | None:
        conditions = self._conditions
        if asked.is_choice:
            if not conditions.auto.allows(pool.model):
                return "model_not_allowed"
            lacking = unsupported(conditions.parameters & PREFERRED, pool)
            if lacking:
                return min(lacking)
        preferences = None if conditions.preferences is NO_PREFERENCES else conditions.preferences
        reason = why_not(self._call, pool, conditions.key, preferences, conditions.parameters, is_free=asked.is_free)
        return conditions.cannot(pool) if reason is None and conditions.cannot is not None else reason
