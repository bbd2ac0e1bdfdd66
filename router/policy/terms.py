"""What callers may do who have no row in the database: keys of the configuration, holders of a token. Values only."""

from dataclasses import dataclass

from router.policy.call import Priority
from router.policy.key import DEFAULT_WORKSPACE, UNLIMITED, Budget, Interval, Key, Rates, Scope


@dataclass(frozen=True, slots=True)
class Terms:
    """Without limits unless said otherwise."""

    workspace: str = DEFAULT_WORKSPACE  # whose budgets count too
    priority: Priority = Priority.NORMAL  # the most that may be asked for
    rates: Rates = UNLIMITED
    limit: int | None = None  # nano-dollars
    limit_reset: Interval = Interval.LIFETIME
    models: frozenset[str] | None = None  # None: all
    ignored_models: frozenset[str] = frozenset()
    providers: frozenset[str] | None = None
    ignored_providers: frozenset[str] = frozenset()

    def key(
        self,
        key_id: str,
        name: str,
        *,
        is_management: bool = False,
        expires_at: float | None = None,
        workspace: str | None = None,
    ) -> Key:
        """The key of a caller on these terms; the limit is each caller's own."""
        limited = () if self.limit is None else (Budget(Scope.KEY, f"key:{key_id}", self.limit_reset, self.limit),)
        return Key(
            id=key_id,
            name=name,
            is_management=is_management,
            expires_at=expires_at,
            workspace=self.workspace if workspace is None else workspace,
            priority=self.priority,
            rates=self.rates,
            budgets=limited,
            models=self.models,
            ignored_models=self.ignored_models,
            providers=self.providers,
            ignored_providers=self.ignored_providers,
        )


NO_LIMITS = Terms()
