"""The flow of one request's attempts, without I/O: what to try, and when to stop.

`route` is a generator: it yields a Pick, the caller performs it and sends back how its head ended. When nothing more
is worth trying it returns a Refusal. The caller ends each pick's lease before it asks for the next, so that the choice
that follows sees the load as it is (design: decide, then act; after httpx's `auth_flow` and h11's `next_event`).

Between taking a permit and yielding there is no await, so two requests cannot take one probe.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from router.policy.attempt import Attempt
from router.policy.balance import Balancer
from router.policy.breakers import Breakers
from router.policy.call import Call
from router.policy.catalog import Endpoint, Pool
from router.policy.deadline import Deadlines
from router.policy.lease import Lease, Pick, Settle
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome
from router.policy.retry import RetryPolicy
from router.policy.retry_budget import RetryBudget

Clock = Callable[[], float]

EXPECTED_COMPLETION_TOKENS = 256  # for a call that names no max_tokens: the median answer of public chat traces


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the flow decides with. One object per router, shared by its requests."""

    endpoints: Callable[[str], Sequence[Endpoint]]  # of a pool, by its name, as they are now
    balancer: Callable[[str], Balancer]  # of a pool, by its name
    deadlines: Callable[[str], Deadlines]  # of a pool, by its name
    breakers: Breakers
    load: TokenLoad
    retry: RetryPolicy
    retry_budget: RetryBudget
    settle: Settle


@dataclass(frozen=True, slots=True)
class Refusal:
    """No (further) attempt is made."""

    attempts: int
    last: Outcome | None = None  # how the last attempt ended; None: none was made
    last_pool: Pool | None = None
    retry_after_s: float | None = None  # when an endpoint may be usable again, where that is known


def route(call: Call, pools: Sequence[Pool], rules: Rules, clock: Clock) -> Generator[Pick, Outcome, Refusal]:
    """Yield attempts until one is taken as the answer (the caller stops asking) or none is worth making."""
    now = started = clock()
    rules.retry_budget.deposit(started)
    attempts = 0
    last: Outcome | None = None
    last_pool: Pool | None = None
    waits: list[float] = []
    for pool in pools:
        tried: set[str] = set()
        in_pool = 0
        while True:
            endpoints = rules.endpoints(pool.name)
            untried = [e for e in endpoints if e.id not in tried] if tried else endpoints
            usable = rules.breakers.available(untried, now)
            if not usable:
                wait = rules.breakers.retry_after(untried, now)
                waits.extend([] if wait is None else [wait])
                break
            limits = rules.deadlines(pool.name)
            left = limits.total_s - (now - started)
            if left <= 0:
                return Refusal(attempts, last, last_pool)
            if last is not None and not rules.retry_budget.withdraw(now):
                return Refusal(attempts, last, last_pool)
            attempts += 1
            in_pool += 1
            endpoint = rules.balancer(pool.name).pick(usable, call, now)
            last = yield _take(Attempt(attempts, pool, endpoint, limits.within(left)), call, rules, clock)
            now = clock()
            last_pool = pool
            tried.add(endpoint.id)
            waits.extend([] if last.retry_after_s is None else [last.retry_after_s])
            if not last.verdict.is_retryable:
                return Refusal(attempts, last, last_pool, last.retry_after_s)
            if not rules.retry.allows(last.verdict, in_pool):
                break
    return Refusal(attempts, last, last_pool, min(waits, default=None))


def _take(attempt: Attempt, call: Call, rules: Rules, clock: Clock) -> Pick:
    breaker = rules.breakers.of(attempt.endpoint.id)
    permit = breaker.acquire(clock())
    expected = EXPECTED_COMPLETION_TOKENS if call.max_tokens is None else call.max_tokens
    hold = rules.load.take(attempt.endpoint.id, call.prompt_tokens, expected)

    def on_first_token() -> None:
        breaker.first_byte(permit, clock())
        hold.first_token()

    def release(outcome: Outcome) -> None:
        breaker.release(permit, outcome, clock())
        hold.release()

    return Pick(attempt, Lease(attempt, on_first_token, (release,), rules.settle))
