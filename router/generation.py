"""What is known of one request while it runs, and told to the listeners at its end."""

from dataclasses import dataclass, field
from typing import Protocol

from router.policy.catalog import Pool
from router.policy.draft import UNCONDITIONAL, Conditions
from router.policy.key import Key
from router.policy.outcome import Outcome, Usage
from router.policy.plan import NO_PLAN, Plan
from router.policy.route import Reason
from router.protocol.chunk import Identity
from router.protocol.explain import Tried, router_metadata
from router.protocol.plugins.pipeline import with_pipeline
from router.protocol.request import Request
from router.trace import Trace


class Ticket(Protocol):
    """What a request holds of its key's quotas (see accounting)."""

    def open_free(self, generation: "Generation") -> None:
        """Write down that it begins; it costs nothing."""

    async def open(self, generation: "Generation") -> None:
        """Reserve what it may cost. Raises ApiError: it may not be sent."""

    def close(self, generation: "Generation") -> None:
        """Settle it, and write it down. Only the first call counts."""


@dataclass(slots=True)
class Generation:
    """One request. The gateway fills it in as it goes."""

    id: str
    request: Request
    started: float  # monotonic seconds
    created: int  # unix seconds
    key: Key
    ticket: Ticket
    first_byte: float | None = None
    ended: float | None = None
    attempts: int = 0
    sends: int = 0  # attempts and second attempts beside them
    session: str | None = None  # the header `x-session-id`
    conditions: Conditions = UNCONDITIONAL
    plan: Plan = NO_PLAN
    pools: tuple[Pool, ...] = ()  # that can serve it, in the order to try
    pool: Pool | None = None
    outcome: Outcome | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    unsent: Reason | None = None  # why it was not sent (again)
    tried: list[Tried] = field(default_factory=list)
    echoes: list[bytes] = field(default_factory=list)  # what endpoints were sent, as chunks, for who wants to know
    wants_metadata: bool = False  # `X-OpenRouter-Metadata: enabled`
    trace: Trace = field(default_factory=Trace)

    def identity(self) -> Identity:
        """What the answer is known by: always the id, and the model and provider that are tried now."""
        model, provider = (self.pool.model, self.pool.provider) if self.pool else (self.request.call.model, "local")
        return Identity(self.id, model, provider, self.created)

    def explained(self) -> dict[str, object] | None:
        """How it was routed, if the caller wants to know."""
        if not self.wants_metadata:
            return None
        metadata = router_metadata(
            self.request.call,
            self.pools,
            self.tried,
            excluded=self.plan.excluded,
            strategy=self.plan.strategy,
            family=self.plan.family,
            preferences=self.conditions.preferences,
        )
        prepared = self.request.prepared
        return metadata if prepared is None else with_pipeline(metadata, prepared.steps)
