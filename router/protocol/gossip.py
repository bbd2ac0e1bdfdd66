"""What routers tell each other, as datagrams.

    version (1 byte) | MessagePack array | HMAC-SHA256 over both, cut to 16 bytes

A datagram is at most 1,200 bytes, which every network carries in one piece (RFC 8200 asks for 1,280), and stands for
itself. Columns of numbers are packed as little-endian bytes: quick, and of a size that is known beforehand.

Routers of two releases run side by side: a newer one may append elements to the array, which older ones pass over, and
must give them defaults, so that it understands older ones. Whatever is not so compatible gets another version, which
others drop and count. Nothing is parsed before its signature is right; nothing is secret, so nothing is encrypted.
"""

import hmac
import math
import struct
from typing import Annotated

import msgspec
from msgspec import Meta

from router.policy.gossip import SLICES, Drop, Insert, Part, pack_hashes, slice_of

VERSION = 1
MAX_BYTES = 1_200
MAX_ROUTER_ID = 64  # bytes of a router's name
SMALLEST_SECRET = 16  # bytes
ROW_BYTES = 20
SERVICE_BYTES = 16
INSERT_BYTES = 19  # besides its hashes: endpoint, serial, and MessagePack's own
HASH_BYTES = 8
_FIXED_BYTES = 70  # of a datagram, at most: all but names, hearers and columns
_MAC_BYTES = 16
_UINT32_MAX = 2**32 - 1
_ROW = struct.Struct("<QIII")
_SERVICE = struct.Struct("<Qd")
_HEAD = struct.Struct("<QQ")  # of an insert: endpoint, serial

_Natural = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class _Message(msgspec.Struct, array_like=True, frozen=True):
    """The array's elements in order. Append only, with a default."""

    router_id: Annotated[str, Meta(max_length=MAX_ROUTER_ID)]
    boot_id: _Natural
    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    part: _Natural
    parts: Annotated[int, Meta(ge=0, le=SLICES)]
    age_s: Annotated[float, Meta(ge=0)]
    is_leaving: bool
    routers: _Natural
    heard: bytes
    rows: bytes
    service: bytes
    inserts: list[bytes]


def room(router_id: str, heard: int) -> int:
    """Bytes that a datagram of this router has for rows, service and inserts, when it names so many others."""
    return MAX_BYTES - _FIXED_BYTES - len(router_id.encode()) - HASH_BYTES * heard


class GossipWire:
    """Writes and reads the datagrams of one secret.

    Raises ValueError when the secret is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SMALLEST_SECRET:
            raise ValueError(f"secret must be at least {SMALLEST_SECRET} bytes, got {len(secret)}")
        self._mac = hmac.new(secret, digestmod="sha256")
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(_Message)

    def encode(self, part: Part) -> bytes:
        """The datagram of a part. Figures of 32 bits and more are cut to the largest that fits.

        Raises ValueError when it would be too long; those of an Outbox never are.
        """
        message = _Message(
            part.router_id,
            part.boot_id,
            part.seq,
            part.part,
            part.parts,
            part.age_s,
            part.is_leaving,
            min(part.routers, _UINT32_MAX),
            pack_hashes(part.heard),
            b"".join(
                [
                    _ROW.pack(hashed, min(queued, _UINT32_MAX), min(streams, _UINT32_MAX), min(context, _UINT32_MAX))
                    for hashed, queued, streams, context in part.rows
                ]
            ),
            b"".join([_SERVICE.pack(*pair) for pair in part.service]),
            [_HEAD.pack(each.endpoint, each.serial) + each.packed for each in part.inserts],
        )
        signed = bytes((VERSION,)) + self._encoder.encode(message)
        if len(signed) + _MAC_BYTES > MAX_BYTES:
            raise ValueError(f"a part of {len(signed) + _MAC_BYTES} bytes does not fit into a datagram")
        return signed + self._sign(signed)

    def decode(self, data: bytes) -> Part | Drop:
        """The part in a datagram, or why it is dropped. Raises nothing, whatever the bytes are."""
        if len(data) > MAX_BYTES:
            return Drop.OVERSIZE
        if not data.startswith(bytes((VERSION,))):
            return Drop.VERSION
        signed = data[:-_MAC_BYTES]
        if not hmac.compare_digest(self._sign(signed), data[-_MAC_BYTES:]):
            return Drop.SIGNATURE
        try:
            return _part(self._decoder.decode(signed[1:]))
        except (msgspec.MsgspecError, struct.error, ValueError, RecursionError):
            return Drop.MALFORMED

    def _sign(self, signed: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(signed)
        return mac.digest()[:_MAC_BYTES]


def _part(message: _Message) -> Part:
    """Raises ValueError or struct.error when it does not agree with itself."""
    part = Part(
        message.router_id,
        message.boot_id,
        message.seq,
        message.part,
        message.parts,
        message.age_s,
        message.is_leaving,
        message.routers,
        struct.unpack(f"<{len(message.heard) // HASH_BYTES}Q", message.heard),
        tuple(_ROW.iter_unpack(message.rows)),
        tuple(_SERVICE.iter_unpack(message.service)),
        tuple([_insert(packed) for packed in message.inserts]),
    )
    if part.parts & (part.parts - 1) or part.part >= max(1, part.parts):
        raise ValueError(f"part {part.part} of {part.parts}")
    named = [row[0] for row in part.rows] + [account for account, _ in part.service]
    if named and not (slice_of(min(named)) in (slices := part.slices()) and slice_of(max(named)) in slices):
        raise ValueError("an entry of another part's slice")
    amounts = [part.age_s, *(amount for _, amount in part.service)]
    if not (math.isfinite(sum(amounts)) and min(amounts) >= 0):
        raise ValueError("a figure that is none")
    return part


def _insert(packed: bytes) -> Insert:
    if len(packed) % HASH_BYTES:
        raise ValueError("a part of a hash")
    endpoint, serial = _HEAD.unpack_from(packed)
    return Insert(endpoint, serial, packed[_HEAD.size :])
