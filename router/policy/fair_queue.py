"""Who goes next when all must wait: a bounded queue, fair between accounts.

Calls wait here while every endpoint is saturated, or while no replica is up yet. Next is the highest priority; within
it the account that was served least of late (see attained); within an account who came first. So one that sends
thousands of calls waits for itself, and the others hardly notice. Who waits too long is dropped and costs the engines
nothing.

An account that begins to wait is lifted to the least service of those that wait already, so that credit cannot be
hoarded (VTC's lift; Sheng et al., "Fairness in Serving Large Language Models", 2024). The lift counts within its
priority only and is not told to other routers: it is no service.

What a call will take is known when it ends. Until then its prompt counts, from the moment it is popped: else the same
account would be popped again and again before its first bill. `charge` takes that advance back.

A queue that a single account could fill would refuse all others, so an account may hold four times as many places as
are left (dynamic thresholds; Choudhury and Hahne, 1998): alone four fifths, two of them four ninths each. Batch calls
leave half of the places to those that cannot come back later.
"""

import heapq
import math
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from router.policy.attained import AttainedService
from router.policy.call import Call, Priority


@dataclass(frozen=True, slots=True)
class FairQueueSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # calls that may wait: about ten seconds of what eight busy replicas take; more would only expire, and each holds
    # a connection and its body
    capacity: int = 512
    half_life_s: float = 60.0  # seconds until service counts half: a burst is remembered, the last hour is not; llm-d's
    output_weight: float = 2.0  # of a token of output, in tokens of input; VTC's
    # accounts whose service is remembered, the least served forgotten first: more than are busy within minutes
    max_accounts: int = 2_000

    def __post_init__(self) -> None:
        for name in ("capacity", "max_accounts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.half_life_s > 0:
            raise ValueError(f"half_life_s must be above 0 seconds, got {self.half_life_s}")
        if not self.output_weight >= 0:
            raise ValueError(f"output_weight must not be negative, got {self.output_weight}")


_PLACES_PER_FREE = 4  # places that an account may hold for each that is left
_BATCH_SHARE = 0.5  # of all places, for batch calls


class Fate(Enum):
    """How a wait ended."""

    POPPED = "popped"  # it is its turn
    EXPIRED = "expired"
    REMOVED = "removed"  # nobody waits for it any more


class Ticket:
    """One call's place in the queue. To be read only."""

    __slots__ = ("_advance", "_advanced_at", "call", "fate", "number", "since", "until")

    def __init__(self, number: int, call: Call, since: float, until: float) -> None:
        self.number = number  # in the order of arrival
        self.call = call
        self.since = since
        self.until = until
        self.fate: Fate | None = None  # None: it waits
        self._advance = 0  # tokens charged when it was popped
        self._advanced_at = 0.0

    def __repr__(self) -> str:
        return f"Ticket({self.number}, {self.call.account!r}, {self.fate.value if self.fate else 'waiting'})"

    def __lt__(self, other: "Ticket") -> bool:
        return self.until < other.until


class _Lane:
    """The calls of one priority."""

    __slots__ = ("accounts", "length", "lifts")

    def __init__(self) -> None:
        self.accounts: dict[str, OrderedDict[int, Ticket]] = {}  # those that wait, in the order they began to
        self.length = 0
        self.lifts: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when; the oldest first


class FairQueue:
    """One per pool. All times are monotonic seconds.

    An operation takes O(log n) for n calls that wait, and O(accounts that wait) where it compares them.
    `attained` is what all queues of a router share; without it, this one keeps its own.
    """

    def __init__(self, settings: FairQueueSettings, attained: AttainedService | None = None) -> None:
        self._settings = settings
        if attained is None:
            attained = AttainedService(
                half_life_s=settings.half_life_s,
                output_weight=settings.output_weight,
                max_accounts=settings.max_accounts,
            )
        self.attained = attained
        self._lanes = {priority: _Lane() for priority in sorted(Priority, reverse=True)}
        self._length = 0
        self._queued_tokens = 0
        self._numbers = 0
        self._expiries: list[Ticket] = []  # a heap; those that have ended stay in it for a while

    def __len__(self) -> int:
        """Calls that wait."""
        return self._length

    @property
    def queued_tokens(self) -> int:
        """Prompt tokens of all that wait."""
        return self._queued_tokens

    def lengths(self) -> dict[Priority, int]:
        """Calls that wait, by priority."""
        return {priority: lane.length for priority, lane in self._lanes.items()}

    def push(self, call: Call, now: float, until: float) -> Ticket | None:
        """Let a call wait until `until` at the longest. None: there is no place for it."""
        self.expire(now)
        if not self._has_place(call):
            return None
        self._numbers += 1
        ticket = Ticket(self._numbers, call, now, until)
        lane = self._lanes[call.priority]
        own = lane.accounts.get(call.account)
        if own is None:
            self._lift(lane, call.account, now)
            own = lane.accounts[call.account] = OrderedDict()
        own[ticket.number] = ticket
        lane.length += 1
        self._length += 1
        self._queued_tokens += call.prompt_tokens
        heapq.heappush(self._expiries, ticket)
        return ticket

    def pop(self, now: float) -> Ticket | None:
        """Whose turn it is; its prompt is charged in advance. None: nobody waits."""
        self.expire(now)
        for lane in self._lanes.values():
            if lane.accounts:
                account = min(lane.accounts, key=lambda each: self._standing(lane, each, now))
                ticket = next(iter(lane.accounts[account].values()))
                self._end(ticket, Fate.POPPED)
                ticket._advance, ticket._advanced_at = ticket.call.prompt_tokens, now
                self.attained.add(account, now, uncached=ticket._advance)
                return ticket
        return None

    def remove(self, ticket: Ticket) -> None:
        """Nobody waits for this call any more. Does nothing when its wait has ended before."""
        if ticket.fate is None:
            self._end(ticket, Fate.REMOVED)

    def expire(self, now: float) -> None:
        """Drop those whose time is over."""
        while self._expiries and self._expiries[0].until <= now:
            ticket = heapq.heappop(self._expiries)
            if ticket.fate is None:
                self._end(ticket, Fate.EXPIRED)

    def charge(self, account: str, now: float, *, uncached: int, completion: int, ticket: Ticket | None = None) -> None:
        """An account was served.

        Args:
            account: whose call it was.
            now: when it ended.
            uncached: tokens of its prompt that were computed.
            completion: tokens of its answer.
            ticket: of the call, if it has waited here: what was charged in advance is taken back, once.

        Raises ValueError when a number is negative.
        """
        if min(uncached, completion) < 0:
            raise ValueError(f"tokens must not be negative, got {uncached} and {completion}")
        advance = 0.0
        if ticket is not None:
            advance = self.attained.fade(ticket._advance, ticket._advanced_at, now)
            ticket._advance = 0
        self.attained.add(account, now, uncached=uncached - advance, completion=completion)

    def service(self, now: float) -> dict[str, float]:
        """What accounts were served of late, in tokens, for other routers to know."""
        return self.attained.told(now)

    def _has_place(self, call: Call) -> bool:
        free = self._settings.capacity - self._length
        if call.priority is Priority.BATCH:
            batch = self._lanes[Priority.BATCH].length
            free = min(free, math.ceil(_BATCH_SHARE * self._settings.capacity) - batch)
        held = sum(len(lane.accounts.get(call.account, ())) for lane in self._lanes.values())
        return held < _PLACES_PER_FREE * free

    def _end(self, ticket: Ticket, fate: Fate) -> None:
        ticket.fate = fate
        lane, account = self._lanes[ticket.call.priority], ticket.call.account
        own = lane.accounts[account]
        del own[ticket.number]
        if not own:
            del lane.accounts[account]
        lane.length -= 1
        self._length -= 1
        self._queued_tokens -= ticket.call.prompt_tokens
        if len(self._expiries) > 2 * self._length + 64:  # mostly ended ones, which else would stay until their time
            self._expiries = [each for each in self._expiries if each.fate is None]
            heapq.heapify(self._expiries)

    def _standing(self, lane: _Lane, account: str, now: float) -> float:
        """What is compared: the least goes first."""
        lift = lane.lifts.get(account)
        return self.attained.total(account, now) + (0.0 if lift is None else self.attained.fade(*lift, now))

    def _lift(self, lane: _Lane, account: str, now: float) -> None:
        if not lane.accounts:
            return
        least = min(self._standing(lane, each, now) for each in lane.accounts)
        total = self.attained.total(account, now)
        if self._standing(lane, account, now) < least:
            lane.lifts[account] = least - total, now
            lane.lifts.move_to_end(account)
            if len(lane.lifts) > self._settings.max_accounts:
                lane.lifts.popitem(last=False)
