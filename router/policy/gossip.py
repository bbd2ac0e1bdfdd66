"""What routers tell each other about themselves: values only.

Everything is absolute: what a router has, never what has changed, so that a message which is lost, doubled or late does
no harm. Endpoints and accounts are named by the hash of their name.

Absence means zero, so it must be clear what a message leaves out and what it does not speak of. The space of hashes is
cut into slices of equal size. One telling (a `seq`) is spread over as many parts as it needs, a power of two; part i of
n speaks for the i-th n-th of the slices, and for all of it: whatever lies there and is not named has nothing. A part
that is lost leaves what was last told of its slices. Part 0 of 0 speaks for none; it only carries inserts.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from xxhash import xxh3_64_intdigest

SLICES = 64  # at 40 to 50 endpoints a part, enough for some 2,000 busy endpoints
_SLICE_SHIFT = 64 - 6

Row = tuple[int, int, int, int]  # hash of an endpoint; queued prompt tokens, streams, tokens of context there


class Drop(Enum):
    """Why a message does not count."""

    OVERSIZE = "oversize"  # longer than any router sends
    VERSION = "version"  # of a format this router does not know
    SIGNATURE = "signature"  # of somebody who does not know the secret, or damaged on the way
    MALFORMED = "malformed"  # properly signed, but not to be understood
    OWN = "own"  # this router's, come back
    OLD = "old"  # long overtaken, or played again
    STRANGER = "stranger"  # of a router that does not know this one yet: it may be a recording
    CROWDED = "crowded"  # there are too many routers


@dataclass(frozen=True, slots=True)
class Insert:
    """Blocks of one prompt that was sent to an endpoint. Told twice; the serial tells that it is the same."""

    endpoint: int  # hash of its id
    serial: int  # grows with every insert of a router's life
    packed: bytes  # the hashes, 8 bytes each, little-endian: as they travel, for half of them come a second time

    def hashes(self) -> tuple[int, ...]:
        """Unsigned 64 bit; each names a block and all before it."""
        return struct.unpack(f"<{len(self.packed) // 8}Q", self.packed)


@dataclass(frozen=True, slots=True)
class Part:
    """One message: all that a router says of some slices, and some of its latest inserts."""

    router_id: str  # for people; two routers may have the same
    boot_id: int  # 63 bits, drawn at random when the process starts: what routers are told apart by
    seq: int  # grows with every telling
    part: int = 0
    parts: int = 1  # a power of two up to SLICES; 0: nothing is said of any slice
    age_s: float = 0.0  # seconds since the process started
    is_leaving: bool = False  # takes no more requests; what it still has in flight counts on
    routers: int = 1  # how many it knows, itself included
    heard: tuple[int, ...] = ()  # boot ids of those it hears
    rows: tuple[Row, ...] = ()
    service: tuple[tuple[int, float], ...] = ()  # by hash of an account's name: attained service, in tokens
    inserts: tuple[Insert, ...] = ()

    def slices(self) -> range:
        """The slices it speaks for."""
        width = SLICES // self.parts if self.parts else 0
        return range(self.part * width, (self.part + 1) * width)


def pack_hashes(hashes: Sequence[int]) -> bytes:
    """Block hashes as inserts hold them."""
    return struct.pack(f"<{len(hashes)}Q", *hashes)


def name_hash(name: str) -> int:
    """64 bits that stand for an endpoint or an account: XXH3 of the name."""
    return xxh3_64_intdigest(name.encode())


def slice_of(hashed: int) -> int:
    """The slice that a hash lies in."""
    return hashed >> _SLICE_SHIFT
