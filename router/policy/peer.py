"""The newest word of one other router.

Which inserts have come is a window of bits over their serials, as in IPsec's check against replays (RFC 4303, A2).
"""

from collections.abc import Mapping

from router.policy.gossip import SLICES, Part, Row

NO_ROWS: Mapping[int, Row] = {}
NO_SERVICE: Mapping[int, float] = {}
_SERIALS = 8_192  # inserts that are told apart: some ticks' worth of the shortest
_WINDOW = (1 << _SERIALS) - 1


class Peer:
    """Plain attributes, written by the mesh. Times are the mesh's own."""

    __slots__ = (
        "_newest_serial",
        "_seen",
        "age_s",
        "boot_id",
        "heard_at",
        "is_leaving",
        "marks",
        "router_id",
        "rows",
        "seq",
        "service",
    )

    def __init__(self, part: Part, now: float) -> None:
        self.boot_id = part.boot_id
        self.hear(part, now)
        self.marks = [0] * SLICES  # the telling that each slice's figures are from
        self.clear()
        self._newest_serial = 0
        self._seen = 0  # bit i: the serial i before the newest has come

    def hear(self, part: Part, now: float) -> None:
        """This is its newest telling, in part."""
        self.seq = part.seq
        self.heard_at = now
        self.router_id = part.router_id
        self.age_s = part.age_s
        self.is_leaving = part.is_leaving

    def clear(self) -> None:
        """Forget its figures, but not which telling was the newest."""
        self.rows: list[Mapping[int, Row]] = [NO_ROWS] * SLICES
        self.service: list[Mapping[int, float]] = [NO_SERVICE] * SLICES

    def is_new(self, serial: int) -> bool:
        """Is it an insert that has not come before? To ask makes it come."""
        ahead = serial - self._newest_serial
        if ahead > 0:
            seen = (self._seen << ahead) & _WINDOW if ahead < _SERIALS else 0
            self._seen = seen | 1
            self._newest_serial = serial
            return True
        bit = 1 << -ahead if -ahead < _SERIALS else 0
        is_new = bit != 0 and not self._seen & bit
        self._seen |= bit
        return is_new
