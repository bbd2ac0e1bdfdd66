"""What the other routers have in flight, from what they tell.

Each router tells its own absolute state again and again (see gossip); the newest word on each slice counts, so any
order, any duplicate and any loss ends in the same state once the newest messages are there. Who is silent for
`expiry_s` is forgotten: its requests are then part of what the engines report beyond the ledger.

A router is its process: one that starts again is another router, and the old one is soon silent. It counts from its
first message that names this router's own boot id. That proves the message to be no recording from before this router
started; recordings from its own lifetime are overtaken by the sequence number it remembers of everybody it ever heard.

State-based exchange as in Shapiro et al., "Conflict-free Replicated Data Types" (2011), each router the only writer of
its own entries.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from router.policy.catalog import EndpointId
from router.policy.gossip import Drop, Insert, Part, Row, name_hash, slice_of
from router.policy.load import Load
from router.policy.peer import NO_ROWS, NO_SERVICE, Peer

_REORDER = 20  # tellings (one second of them): what is overtaken by more was not merely late
_REMEMBERED = 1_024  # silent routers whose last sequence number is kept, so that a recording is known as one
_EARLY = 256  # inserts kept for endpoints that are not known here yet: discovery is a second behind a peer's at most


@dataclass(frozen=True, slots=True)
class PeerView:
    """One other router, for people to look at."""

    router_id: str
    age_s: float  # seconds since its process started, as it said last
    silent_s: float
    is_leaving: bool


class Mesh:
    """One per router. All times are monotonic seconds of this router.

    `set_peers` is told what all others together have at an endpoint, whenever that changes; `insert` gets each prompt
    that another has sent to an endpoint, once. Only endpoints that are known here (`know`) are spoken of.
    """

    def __init__(
        self,
        *,
        boot_id: int,
        set_peers: Callable[[EndpointId, Load], None],
        insert: Callable[[EndpointId, Sequence[int]], None],
        expiry_s: float = 1.0,
        max_peers: int = 32,
    ) -> None:
        self._boot_id = boot_id
        self._set_peers = set_peers
        self._insert = insert
        self._expiry_s = expiry_s
        self._max_peers = max_peers
        self._live: dict[int, Peer] = {}
        self._silent: OrderedDict[int, Peer] = OrderedDict()  # the longest silent first
        self._strangers: dict[int, float] = {}  # when heard
        self._totals: dict[int, list[int]] = {}  # by endpoint: queued, streams, context of all live peers
        self._known: dict[int, EndpointId] = {}
        self._early: deque[Insert] = deque(maxlen=_EARLY)
        self._expected = 0

    def __repr__(self) -> str:
        return f"Mesh({len(self._live)} heard of {self._expected}, {len(self._totals)} endpoints)"

    def hear(self, part: Part, now: float) -> Drop | None:
        """Take in one message; None if it counted (perhaps for nothing new)."""
        if part.boot_id == self._boot_id:
            return Drop.OWN
        peer = self._live.get(part.boot_id) or self._admit(part, now)
        if isinstance(peer, Drop):
            return peer
        if part.seq <= peer.seq - _REORDER:
            return Drop.OLD
        if part.seq > peer.seq:  # no duplicate keeps a router alive
            peer.hear(part, now)
        self._take(peer, part)
        for insert in part.inserts:
            if peer.is_new(insert.serial):
                endpoint_id = self._known.get(insert.endpoint)
                if endpoint_id is None:
                    self._early.append(insert)
                else:
                    self._insert(endpoint_id, insert.hashes())
        return None

    def expire(self, now: float) -> None:
        """Forget who has been silent for too long."""
        for peer in [each for each in self._live.values() if now - each.heard_at > self._expiry_s]:
            del self._live[peer.boot_id]
            self._silent[peer.boot_id] = peer
            for rows in peer.rows:
                self._exchange(rows, NO_ROWS)
            peer.clear()
        while len(self._silent) > _REMEMBERED:
            self._silent.popitem(last=False)
        for boot_id in [boot for boot, heard_at in self._strangers.items() if now - heard_at > self._expiry_s]:
            del self._strangers[boot_id]

    def know(self, endpoint_ids: Iterable[EndpointId]) -> None:
        """These endpoints are there now, and no others: what peers said of the new ones counts from here on."""
        before, self._known = self._known, {name_hash(each): each for each in endpoint_ids}
        fresh = self._known.keys() - before.keys()
        for hashed in fresh:
            if hashed in self._totals:
                self._tell(hashed)
        if fresh and self._early:
            early, self._early = self._early, deque(maxlen=_EARLY)
            for insert in early:
                if insert.endpoint in fresh:
                    self._insert(self._known[insert.endpoint], insert.hashes())
                else:
                    self._early.append(insert)

    def expect(self, peers: int) -> None:
        """So many other routers are configured or named by DNS."""
        self._expected = peers

    def heard(self, now: float) -> tuple[int, ...]:
        """Boot ids of whoever was heard lately, to be told to everybody: those that count first."""
        boots = [each.boot_id for each in self._live.values() if now - each.heard_at <= self._expiry_s]
        boots += [boot for boot, heard_at in self._strangers.items() if now - heard_at <= self._expiry_s]
        return tuple(boots[: self._max_peers])

    def routers(self, now: float) -> int:
        """Routers that take requests, this one included."""
        return 1 + sum(not each.is_leaving and now - each.heard_at <= self._expiry_s for each in self._live.values())

    def is_alone(self, now: float) -> bool:
        """Are there other routers, none of which can be heard?"""
        return self._expected > 0 and all(now - each.heard_at > self._expiry_s for each in self._live.values())

    def service(self, account: str) -> float:
        """What an account has got from all other routers lately, in tokens (see fair queueing)."""
        hashed = name_hash(account)
        index = slice_of(hashed)
        return sum(each.service[index].get(hashed, 0.0) for each in self._live.values())

    def peers(self, now: float) -> tuple[PeerView, ...]:
        """The routers that are heard, by name."""
        views = [
            PeerView(each.router_id, each.age_s, now - each.heard_at, each.is_leaving) for each in self._live.values()
        ]
        return tuple(sorted(views, key=lambda view: view.router_id))

    def _admit(self, part: Part, now: float) -> Peer | Drop:
        """The router of a message, if it counts from now on."""
        peer = self._silent.get(part.boot_id)
        if peer is not None and part.seq <= peer.seq:
            return Drop.OLD
        if peer is None and self._boot_id not in part.heard:
            if part.boot_id in self._strangers or len(self._strangers) < self._max_peers:
                self._strangers[part.boot_id] = now
            return Drop.STRANGER
        if len(self._live) >= self._max_peers:
            return Drop.CROWDED
        if peer is None:
            peer = Peer(part, now)
            self._strangers.pop(part.boot_id, None)
        else:
            del self._silent[part.boot_id]
        self._live[part.boot_id] = peer
        return peer

    def _take(self, peer: Peer, part: Part) -> None:
        """In each slice that the part speaks for, the newest telling counts."""
        rows: dict[int, dict[int, Row]] = {}
        service: dict[int, dict[int, float]] = {}
        for row in part.rows:
            rows.setdefault(slice_of(row[0]), {})[row[0]] = row
        for account, amount in part.service:
            service.setdefault(slice_of(account), {})[account] = amount
        for index in part.slices():
            if part.seq > peer.marks[index]:
                peer.marks[index] = part.seq
                peer.service[index] = service.get(index, NO_SERVICE)
                before, after = peer.rows[index], rows.get(index, NO_ROWS)
                if before != after:
                    peer.rows[index] = after
                    self._exchange(before, after)

    def _exchange(self, before: Mapping[int, Row], after: Mapping[int, Row]) -> None:
        """One router's figures at some endpoints have changed."""
        for hashed in before.keys() | after.keys():
            old, new = before.get(hashed), after.get(hashed)
            if old != new:
                total = self._totals.get(hashed) or self._totals.setdefault(hashed, [0, 0, 0])
                if old is not None:
                    total[0] -= old[1]
                    total[1] -= old[2]
                    total[2] -= old[3]
                if new is not None:
                    total[0] += new[1]
                    total[1] += new[2]
                    total[2] += new[3]
                elif not any(total):
                    del self._totals[hashed]
                self._tell(hashed)

    def _tell(self, hashed: int) -> None:
        endpoint_id = self._known.get(hashed)
        if endpoint_id is not None:
            self._set_peers(endpoint_id, Load(*self._totals.get(hashed, (0, 0, 0))))
