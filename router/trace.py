"""What the ledger keeps of a request beyond tokens and money: filled in as the request goes, written with its row."""

from dataclasses import dataclass, field

from router.policy.catalog import Pool
from router.policy.outcome import Outcome
from router.protocol.answered import Answered
from router.protocol.told import NOTHING_TOLD, Told

_MOST = 32  # attempts that are kept; the last ones led to the answer


@dataclass(slots=True)
class Trace:
    """Of one request. Whoever knows a thing notes it; what nobody knows is null to those who ask."""

    told: Told = NOTHING_TOLD  # by the headers
    answered: list[Answered] = field(default_factory=list)  # attempts, as they ended or committed
    sent: float | None = None  # monotonic seconds: when the attempt that answered was sent
    upstream_id: str | None = None  # the endpoint's own name for the answer
    native_finish_reason: str | None = None  # in the endpoint's words
    service_tier: str | None = None  # that the endpoint said it served
    preset_id: str | None = None
    cached_from: str | None = None  # the generation whose answer was given again
    media: int = 0  # pictures and other files of the prompt
    reasoning_tokens: int = 0  # of the completion

    def attempted(self, pool: Pool, outcome: Outcome, sent: float, now: float) -> None:
        """An attempt has failed, or its first body byte is there.

        Args:
            pool: where it was sent.
            outcome: as it is known by now.
            sent: monotonic seconds: when.
            now: monotonic seconds.
        """
        self.sent = sent
        self.answered.append(Answered(pool.provider, pool.name, pool.model, outcome.status, round((now - sent) * 1e3)))
        del self.answered[:-_MOST]
