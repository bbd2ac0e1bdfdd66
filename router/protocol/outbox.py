"""What this router tells the others at each tick: its state, cut into parts that fit into datagrams.

State and inserts share the datagrams. Each insert is told in two ticks, so that one lost datagram loses none. Inserts
are bounded: a tick tells so many bytes of new ones, the rest waits for the next, and when too much waits the oldest are
dropped, for what they say is the soonest outdated.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import nlargest

from router.policy.catalog import EndpointId
from router.policy.gossip import SLICES, Insert, Part, Row, name_hash, pack_hashes, slice_of
from router.policy.load import Load
from router.protocol.gossip import INSERT_BYTES, MAX_ROUTER_ID, ROW_BYTES, SERVICE_BYTES, room

MAX_HEARD = 64  # routers named in a datagram: half of it
_BLOCKS = 50  # of one insert: two of them fit into a datagram that names up to 32 routers


class Outbox:
    """One per router. All times are monotonic seconds.

    Args:
        router_id: name of this router, for people; at most 64 bytes.
        boot_id: 63 random bits, new with every start.
        started: when the process started.
        insert_bytes: of new inserts told in one tick.
        queue_bytes: of inserts that may wait.
        max_accounts: whose service is told: those who got most.

    Raises ValueError when the name is too long.
    """

    def __init__(
        self,
        router_id: str,
        boot_id: int,
        *,
        started: float,
        insert_bytes: int = 32_768,
        queue_bytes: int = 262_144,
        max_accounts: int = 256,
    ) -> None:
        if len(router_id.encode()) > MAX_ROUTER_ID:
            raise ValueError(f"router_id must be at most {MAX_ROUTER_ID} bytes, got {router_id!r}")
        self.is_leaving = False  # told from now on: this router takes no more requests
        self.seq = 0
        self.dropped_inserts = 0  # that waited too long
        self.left_out = 0  # endpoints and accounts, over all ticks, that no datagram had room for
        self._router_id = router_id
        self._boot_id = boot_id
        self._started = started
        self._insert_bytes = insert_bytes
        self._queue_bytes = queue_bytes
        self._max_accounts = max_accounts
        self._serial = 0
        self._waiting: deque[Insert] = deque()
        self._waiting_bytes = 0
        self._told_once: list[Insert] = []

    def insert(self, endpoint_id: EndpointId, hashes: Sequence[int]) -> None:
        """A prompt of these blocks was sent there.

        The end of a prompt is told before its beginning, as an index forgets what it has learnt first.
        """
        endpoint = name_hash(endpoint_id)
        for start in reversed(range(0, len(hashes), _BLOCKS)):
            self._serial += 1
            insert = Insert(endpoint, self._serial, pack_hashes(hashes[start : start + _BLOCKS]))
            self._waiting.append(insert)
            self._waiting_bytes += _size(insert)
        while self._waiting_bytes > self._queue_bytes:
            self._waiting_bytes -= _size(self._waiting.popleft())
            self.dropped_inserts += 1

    def tick(
        self,
        now: float,
        *,
        loads: Iterable[tuple[EndpointId, Load]],
        service: Iterable[tuple[str, float]] = (),
        heard: Sequence[int] = (),
        routers: int = 1,
    ) -> list[Part]:
        """Everything there is to tell now, one part per datagram.

        Args:
            now: the time.
            loads: what this router has at each endpoint; those left out have nothing.
            service: attained service of accounts, in tokens.
            heard: boot ids of the routers that are heard (Mesh.heard).
            routers: how many there are, this one included.
        """
        self.seq += 1
        heard = tuple(heard[:MAX_HEARD])
        space = room(self._router_id, len(heard))
        rows: list[list[Row]] = [[] for _ in range(SLICES)]
        accounts: list[list[tuple[int, float]]] = [[] for _ in range(SLICES)]
        for endpoint_id, load in loads:
            row = (name_hash(endpoint_id), load.queued, load.streams, load.context)
            if any(row[1:]):
                rows[slice_of(row[0])].append(row)
        for name, amount in nlargest(self._max_accounts, service, key=lambda pair: pair[1]):
            hashed = name_hash(name)
            accounts[slice_of(hashed)].append((hashed, amount))
        states = self._spread(rows, accounts, space)
        inserts = self._due()
        age_s = max(0.0, now - self._started)
        parts: list[Part] = []
        while len(parts) < len(states) or inserts:
            at = len(parts)
            named, served = states[at] if at < len(states) else ([], [])
            left = space - ROW_BYTES * len(named) - SERVICE_BYTES * len(served)
            fitting: list[Insert] = []
            while inserts and _size(inserts[-1]) <= left:
                fitting.append(inserts.pop())
                left -= _size(fitting[-1])
            parts.append(
                Part(
                    router_id=self._router_id,
                    boot_id=self._boot_id,
                    seq=self.seq,
                    part=at if at < len(states) else 0,
                    parts=len(states) if at < len(states) else 0,
                    age_s=age_s,
                    is_leaving=self.is_leaving,
                    routers=routers,
                    heard=heard,
                    rows=tuple(named),
                    service=tuple(served),
                    inserts=tuple(fitting),
                )
            )
        return parts

    def leave(self, now: float, heard: Sequence[int] = ()) -> list[Part]:
        """The last word: nothing is in flight here any more, and nothing will be."""
        self.is_leaving = True
        return self.tick(now, loads=(), heard=heard)

    def _spread(
        self, rows: list[list[Row]], accounts: list[list[tuple[int, float]]], space: int
    ) -> list[tuple[list[Row], list[tuple[int, float]]]]:
        """What each part names: as few parts as hold everything. If even the most do not, some entries are left out."""
        sizes = [ROW_BYTES * len(r) + SERVICE_BYTES * len(a) for r, a in zip(rows, accounts, strict=True)]
        width = SLICES
        while width > 1 and max(sum(sizes[i : i + width]) for i in range(0, SLICES, width)) > space:
            width //= 2
        spread = []
        for start in range(0, SLICES, width):
            named = [row for each in rows[start : start + width] for row in each]
            served = [pair for each in accounts[start : start + width] for pair in each]
            kept = named[: space // ROW_BYTES]
            paid = served[: (space - ROW_BYTES * len(kept)) // SERVICE_BYTES]
            self.left_out += len(named) - len(kept) + len(served) - len(paid)
            spread.append((kept, paid))
        return spread

    def _due(self) -> list[Insert]:
        """Inserts to tell now, the first last: new ones, and those told once."""
        fresh: list[Insert] = []
        budget = self._insert_bytes
        while self._waiting and (budget := budget - _size(self._waiting[0])) >= 0:
            fresh.append(self._waiting.popleft())
            self._waiting_bytes -= _size(fresh[-1])
        due = [*fresh, *self._told_once]
        self._told_once = fresh
        due.reverse()
        return due


def _size(insert: Insert) -> int:
    return INSERT_BYTES + len(insert.packed)
