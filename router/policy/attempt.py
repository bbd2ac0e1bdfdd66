"""One send to one endpoint: what the gateway is told to do."""

from dataclasses import dataclass

from router.policy.catalog import Endpoint, Pool
from router.policy.deadline import Deadlines


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where to send, how long to wait, and which attempt of the request this is (from 1)."""

    number: int
    pool: Pool
    endpoint: Endpoint
    deadlines: Deadlines
    is_hedge: bool = False  # made beside another of the same number
