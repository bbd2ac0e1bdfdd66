"""The flow of one request's attempts, without I/O: what to try, when to wait, and when to stop.

`route` is a generator. It yields a Pick, which the caller performs and sends back how its head ended; or a Wait, whose
end the caller awaits and sends back None. When nothing more is worth trying it returns a Refusal. The caller ends each
pick's lease before it asks for the next, so that the choice that follows sees the load as it is (design: decide, then
act; after httpx's `auth_flow` and h11's `next_event`).

Between taking a permit and yielding there is no await, so two requests cannot take one probe.

What an attempt's end means for the next one:
- what another endpoint may better (busy, late, gone) goes on in the same pool, then in the next;
- what the model refused (a context too short, a field it does not take) would be refused by all of its endpoints, so it
  goes on with the next model, if the caller named one. That costs no retry of the budget: it was answered at once and
  no engine computed anything, and a client's bad requests must not use up what others need;
- when the client has gone, nothing goes on.

A saturated pool is waited for only if no other pool of the model has room: own engines first, the rest bursts outward.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from router.policy.adapters import Adapters
from router.policy.attempt import Attempt
from router.policy.breakers import Breakers
from router.policy.call import Call, Priority
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.fair_queue import FairQueue, Fate, Ticket
from router.policy.hedge import Hedges
from router.policy.lease import Lease, Pick
from router.policy.length import Lengths
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.performance import Performance, went_well
from router.policy.picker import Decision, Picker
from router.policy.prefix import PrefixIndex
from router.policy.retry import RetryPolicy
from router.policy.retry_budget import RetryBudget

Clock = Callable[[], float]

EXPECTED_COMPLETION_TOKENS = 256  # for a call that names no max_tokens: the median answer of public chat traces
ENGINE_BLOCK_TOKENS = 128  # an engine caches whole blocks only: 16 tokens on cards, 128 on CPU


class Observer(Protocol):
    """Who is told what happens. Must not raise."""

    def on_settle(self, attempt: Attempt, outcome: Outcome, usage: Usage | None) -> None:
        """An attempt has ended."""

    def on_first_token(self, attempt: Attempt, predicted_s: float, seconds: float) -> None:
        """A stream's first token came `seconds` after it was sent, and was predicted to take `predicted_s`."""

    def on_counted(self, attempt: Attempt, call: Call, cached_tokens: int, usage: Usage) -> None:
        """An engine has counted the tokens of a call, of which `cached_tokens` were believed to be cached there."""


def _nowhere(endpoint_id: EndpointId, hashes: Sequence[int]) -> None:
    """Of a router without sisters."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the flow decides with. One object per router, shared by its requests."""

    endpoints: Callable[[str], Sequence[Endpoint]]  # of a pool, by its name, as they are now
    picker: Callable[[str], Picker]  # of a pool, by its name
    queue: Callable[[str], FairQueue]  # of a pool, by its name
    hedges: Callable[[str], Hedges]  # of a pool, by its name
    deadlines: Callable[[str], Deadlines]  # of a pool, by its name
    breakers: Breakers
    load: TokenLoad
    index: PrefixIndex
    lengths: Lengths
    adapters: Adapters
    retry: RetryPolicy
    retry_budget: RetryBudget
    observer: Observer
    announce: Callable[[EndpointId, Sequence[int]], None] = _nowhere  # to other routers: a prompt was sent there
    waiting_room_s: float = 0.0  # that a call waits for the first endpoint of a pool to appear
    waiting_rooms: Mapping[str, float] = field(default_factory=dict)  # the same of pools that have their own, by name
    performance: Performance = field(default_factory=Performance)  # is told how pools do


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be sent now: go on when the ticket's turn has come or its time is over."""

    pool: Pool
    ticket: Ticket
    longest_s: float


class Reason(Enum):
    """Why no (further) attempt is made, beyond how the last one ended."""

    LATE = "deadline"  # no endpoint can begin in time
    FULL = "queue_full"
    EXPIRED = "queue_timeout"  # waited in vain


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that brought no answer."""

    pool: Pool
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """No (further) attempt is made."""

    attempts: int
    last: Outcome | None = None  # how the last attempt ended; None: none was made
    last_pool: Pool | None = None
    retry_after_s: float | None = None  # when an endpoint may be usable again, where that is known
    reason: Reason | None = None
    earlier: tuple[Failure, ...] = ()  # before the last attempt, in their order


Step = Pick | Wait
Route = Generator[Step, Outcome | None, Refusal]


def route(call: Call, pools: Sequence[Pool], rules: Rules, clock: Clock) -> Route:
    """Yield attempts until one is taken as the answer (the caller stops asking) or none is worth making."""
    trip = _Trip(call, rules, clock)
    rules.retry_budget.deposit(trip.started)
    while True:
        ahead = list(pools)
        while ahead:
            pool = ahead.pop(0)
            spares = [each for each in ahead if each.model == pool.model]
            end = yield from trip.through(pool, spares)
            if end is _End.OVER:
                return trip.refusal()
            if end is _End.REFUSED:
                ahead = [each for each in ahead if each.model != pool.model]
            elif end is _End.FULL:
                ahead.insert(ahead.index(spares[-1]) + 1, pool)  # to be waited for, if the spares fail
        empty = next((pool for pool in pools if not rules.endpoints(pool.name)), None)
        if trip.attempts or empty is None:
            return trip.refusal()
        room_s = rules.waiting_rooms.get(empty.name, rules.waiting_room_s)
        if not room_s or not (yield from trip.wait(empty, room_s)):
            return trip.refusal()
        trip.forgo_the_promise()


class _End(Enum):
    """Of a pool's part in a trip."""

    OVER = "over"  # so is the trip
    REFUSED = "refused"  # by the model: its other pools would do the same
    FULL = "full"  # but other pools of the model have room
    NEXT = "next"  # another pool may do better


class _Trip:
    """One request on its way through the pools."""

    def __init__(self, call: Call, rules: Rules, clock: Clock) -> None:
        self._call = call
        self._rules = rules
        self._clock = clock
        self.started = clock()
        self.attempts = 0
        self._failures: list[Failure] = []
        self._passed: set[str] = set()  # pools that were full when others had room
        self._waits: list[float] = []  # seconds until something may be usable again
        self._reason: Reason | None = None
        self._has_turn = False  # waited already
        self._ticket: Ticket | None = None  # of its last wait

    def refusal(self) -> Refusal:
        """What is known when it ends without an answer."""
        soonest_s = min(self._waits, default=None)
        if not self._failures:
            return Refusal(self.attempts, retry_after_s=soonest_s, reason=self._reason)
        *earlier, last = self._failures
        return Refusal(self.attempts, last.outcome, last.pool, soonest_s, self._reason, tuple(earlier))

    def forgo_the_promise(self) -> None:
        """It has waited for the first endpoint to come up; being refused now for having waited would help nobody."""
        self._call = replace(self._call, priority=Priority.CRITICAL)

    def through(self, pool: Pool, spares: Sequence[Pool] = ()) -> Generator[Step, Outcome | None, _End]:
        """Try one pool, and wait for it only if none of the spares has room."""
        rules = self._rules
        tried: set[str] = set()
        while True:
            now = self._clock()
            endpoints = rules.endpoints(pool.name)
            untried = [e for e in endpoints if e.id not in tried] if tried else endpoints
            usable = rules.breakers.available(untried, now)
            if not usable:
                self._note(rules.breakers.retry_after(untried, now))
                return _End.NEXT
            limits = self._limits(pool, now)
            if not tried:
                rules.hedges(pool.name).began(now)
            if limits.total_s <= 0:
                return _End.OVER
            decision = self._decide(pool, usable, now)
            if decision.late_s > 0:
                self._reason = Reason.LATE
                self._note(decision.late_s)
                return _End.NEXT
            if self._must_wait(pool, decision):
                if pool.name not in self._passed and any(has_room(spare.name, rules, now) for spare in spares):
                    self._passed.add(pool.name)
                    return _End.FULL
                longest_s = min(limits.first_token_s, decision.late_s * -1.0)
                if not (yield from self.wait(pool, longest_s)):
                    return _End.NEXT
                continue
            if self._costs_a_retry() and not rules.retry_budget.withdraw(now):
                return _End.OVER
            self.attempts += 1
            endpoint = decision.endpoint
            outcome = yield self.take(Attempt(self.attempts, pool, endpoint, limits), decision)
            assert outcome is not None  # a pick is answered by its outcome
            tried.add(endpoint.id)
            self._failures.append(Failure(pool, outcome))
            self._reason = None
            self._note(outcome.retry_after_s)
            if not outcome.verdict.is_retryable:
                self._waits = [] if outcome.retry_after_s is None else [outcome.retry_after_s]
                return _End.OVER if outcome.verdict is Verdict.CANCELLED else _End.REFUSED
            if not rules.retry.allows(outcome.verdict, len(tried)):
                return _End.NEXT

    def _costs_a_retry(self) -> bool:
        return bool(self._failures) and self._failures[-1].outcome.verdict is not Verdict.REJECTED

    def wait(self, pool: Pool, longest_s: float) -> Generator[Step, Outcome | None, bool]:
        """Queue for a pool. False: there is no room in the queue, or the time ran out."""
        now = self._clock()
        ticket = self._rules.queue(pool.name).push(self._call, now, now + longest_s)
        if ticket is None:
            self._reason = Reason.FULL
            return False
        yield Wait(pool, ticket, longest_s)
        self._has_turn = ticket.fate is Fate.POPPED
        self._ticket = ticket
        self._reason = None if self._has_turn else Reason.EXPIRED
        return self._has_turn

    def _decide(self, pool: Pool, usable: Sequence[Endpoint], now: float) -> Decision:
        picker, spent_s = self._rules.picker(pool.name), now - self.started
        queue = self._rules.queue(pool.name)
        if not self._has_turn and len(queue):
            spent_s += queue.queued_tokens / picker.total_rate(usable)
        return picker.decide(usable, self._call, now, spent_s=spent_s)

    def _must_wait(self, pool: Pool, decision: Decision) -> bool:
        if self._has_turn or self.attempts:
            return False
        is_saturated = self._rules.picker(pool.name).admission.is_saturated(decision.shortest_wait_s)
        return is_saturated or len(self._rules.queue(pool.name)) > 0

    def _limits(self, pool: Pool, now: float) -> Deadlines:
        limits = self._rules.deadlines(pool.name)
        spent_s, asked_s = now - self.started, self._call.first_token_s
        if asked_s is None:
            return limits.within(limits.total_s - spent_s)
        if not self._call.stream:
            return limits.within(min(limits.total_s, asked_s) - spent_s)
        return limits.beginning_within(asked_s - spent_s).within(limits.total_s - spent_s)

    def _note(self, wait_s: float | None) -> None:
        if wait_s is not None:
            self._waits.append(wait_s)

    def take(self, attempt: Attempt, decision: Decision) -> Pick:
        """Begin an attempt: from here on its lease holds a place in the load, and a permit."""
        rules, call, clock = self._rules, self._call, self._clock
        endpoint_id, pool = attempt.endpoint.id, attempt.pool
        picker, queue, ticket = rules.picker(pool.name), rules.queue(pool.name), self._ticket
        sent = clock()
        breaker = rules.breakers.of(endpoint_id)
        permit = breaker.acquire(sent)
        expected = EXPECTED_COMPLETION_TOKENS if call.max_tokens is None else call.max_tokens
        # What outlives the choice keeps figures, and not the columns of all candidates: a stream lasts for minutes.
        cached, predicted_s = decision.cached_tokens, decision.predicted_s
        tokens = decision.candidates.queued[decision.row] + call.prompt_tokens - cached
        hold = rules.load.take(endpoint_id, call.prompt_tokens, expected, cached_tokens=cached)
        rules.index.add(endpoint_id, call.prefix.hashes)
        rules.announce(endpoint_id, call.prefix.hashes)
        if pool.adapter is not None:
            rules.adapters.asked(endpoint_id, pool.adapter, sent)

        def on_first_token() -> None:
            now = clock()
            breaker.first_byte(permit, now)
            if call.stream:  # of a whole answer the first byte is the last
                picker.forecast.learn(endpoint_id, tokens=tokens, predicted_s=predicted_s, actual_s=now - sent)
                rules.hedges(pool.name).learn(predicted_s, now - sent)
                rules.performance.note(pool.name, now, ok=None, first_token_s=now - sent, tokens_per_s=None)
                rules.observer.on_first_token(attempt, predicted_s, now - sent)

        def release(outcome: Outcome, usage: Usage | None) -> None:
            now = clock()
            breaker.release(permit, outcome, now)
            hold.release()
            speed = _speed(usage, now - sent) if outcome.verdict is Verdict.OK else None
            rules.performance.note(pool.name, now, ok=went_well(outcome), first_token_s=None, tokens_per_s=speed)
            if usage is None or not usage.is_exact:
                queue.charge(call.account, now, uncached=0, completion=0, ticket=ticket)
                return
            rules.lengths.learn(pool.model, call, usage.prompt_tokens)
            if usage.tells_cached:
                rules.index.judge(endpoint_id, max(0, cached - ENGINE_BLOCK_TOKENS), usage.cached_tokens)
            uncached = max(0, usage.prompt_tokens - usage.cached_tokens)
            queue.charge(call.account, now, uncached=uncached, completion=usage.completion_tokens, ticket=ticket)
            rules.observer.on_counted(attempt, call, cached, usage)

        lease = Lease(
            attempt,
            on_prompt_read=hold.first_token,
            on_first_token=on_first_token,
            release=release,
            settle=rules.observer.on_settle,
        )
        return Pick(attempt, lease, decision, picker.balancer)


def _speed(usage: Usage | None, seconds: float) -> float | None:
    """Completion tokens per second of the whole attempt, as OpenRouter counts it; None: not known."""
    if usage is None or not usage.is_exact or not usage.completion_tokens or seconds <= 0:
        return None
    return usage.completion_tokens / seconds


def hedge(call: Call, first: Pick, sent: float, rules: Rules, clock: Clock) -> Pick | None:
    """A second attempt beside `first`, which was sent at `sent` and has no byte yet; None: it is not worth it."""
    pool, now = first.attempt.pool, clock()
    others = [each for each in rules.endpoints(pool.name) if each.id != first.attempt.endpoint.id]
    usable = rules.breakers.available(others, now)
    if not usable:
        return None
    decision = rules.picker(pool.name).decide(usable, call, now)
    candidates = first.decision.candidates
    waits = [queued / rate for queued, rate in zip(candidates.queued, candidates.rates, strict=True)]
    is_worth_it = rules.hedges(pool.name).allows(
        predicted_s=first.decision.predicted_s,
        elapsed_s=now - sent,
        other_s=decision.predicted_s,
        mean_wait_s=sum(waits) / len(waits),
        now=now,
        left_s=first.attempt.deadlines.first_token_s - (now - sent),
    )
    if not is_worth_it:
        return None
    attempt = Attempt(
        first.attempt.number,
        pool,
        decision.endpoint,
        first.attempt.deadlines.within(first.attempt.deadlines.total_s - (now - sent)),
        is_hedge=True,
    )
    return _Trip(call, rules, clock).take(attempt, decision)


def has_room(pool_name: str, rules: Rules, now: float) -> bool:
    """May one of those who wait for the pool go on?"""
    usable = rules.breakers.available(rules.endpoints(pool_name), now)
    picker = rules.picker(pool_name)
    return bool(usable) and not picker.admission.is_saturated(picker.shortest_wait_s(usable))
