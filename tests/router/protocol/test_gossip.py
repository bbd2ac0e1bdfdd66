"""Datagrams: what goes in comes out, and nothing else does."""

import hmac
import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.gossip import SLICES, Drop, Insert, Part, pack_hashes
from router.protocol.gossip import MAX_BYTES, VERSION, GossipWire, room

SECRET = b"a secret of all routers"
WIRE = GossipWire(SECRET)
UINT64 = st.integers(0, 2**64 - 1)
UINT32 = st.integers(0, 2**32 - 1)
PART = Part(
    router_id="router-1",
    boot_id=2**63 - 1,
    seq=9,
    part=1,
    parts=2,
    age_s=12.5,
    is_leaving=True,
    routers=4,
    heard=(1, 2**63 - 1),
    rows=((2**63, 1, 2, 3), (2**64 - 1, 0, 1, 2**32 - 1)),
    service=((2**63 + 5, 1.5),),
    inserts=(Insert(2**64 - 1, 17, pack_hashes([1, 2**64 - 1])), Insert(0, 18, b"")),
)
FIELDS: list[object] = ["router", 1, 2, 0, 1, 0.5, False, 1, b"", b"", b"", []]  # of the smallest message


@st.composite
def parts(draw: st.DrawFn) -> Part:
    count = draw(st.sampled_from([0, 1, 2, 4, 8, 16, 32, 64]))
    at = draw(st.integers(0, max(0, count - 1)))
    width = 2**64 // count if count else 0
    hashes = st.integers(at * width, (at + 1) * width - 1) if count else st.nothing()
    rows = st.tuples(hashes, UINT32, UINT32, UINT32)
    amounts = st.floats(0, 1e300, allow_nan=False)
    inserts = st.builds(Insert, UINT64, UINT64, st.lists(UINT64, max_size=10).map(pack_hashes))
    return Part(
        router_id=draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=16)),
        boot_id=draw(st.integers(0, 2**63 - 1)),
        seq=draw(st.integers(1, 2**63 - 1)),
        part=at,
        parts=count,
        age_s=draw(st.floats(0, 1e9)),
        is_leaving=draw(st.booleans()),
        routers=draw(UINT32),
        heard=tuple(draw(st.lists(UINT64, max_size=8))),
        rows=tuple(draw(st.lists(rows, max_size=8))) if count else (),
        service=tuple(draw(st.lists(st.tuples(hashes, amounts), max_size=8))) if count else (),
        inserts=tuple(draw(st.lists(inserts, max_size=4))),
    )


def signed(payload: bytes, *, version: int = VERSION, secret: bytes = SECRET) -> bytes:
    """A datagram with this payload, whatever it is."""
    head = bytes((version,)) + payload
    return head + hmac.digest(secret, head, "sha256")[:16]


def with_field(index: int, value: object) -> bytes:
    """The smallest message, but for one element."""
    return signed(msgspec.msgpack.encode([*FIELDS[:index], value, *FIELDS[index + 1 :]]))


@given(part=parts())
def test_every_part_comes_out_as_it_went_in(part: Part) -> None:
    data = WIRE.encode(part)
    assert part == WIRE.decode(data)
    assert len(data) <= MAX_BYTES


@given(part=parts())
def test_the_room_of_a_datagram_is_not_overestimated(part: Part) -> None:
    used = 20 * len(part.rows) + 16 * len(part.service) + sum(19 + len(each.packed) for each in part.inserts)
    assert len(WIRE.encode(part)) <= MAX_BYTES - room(part.router_id, len(part.heard)) + used


@given(at=st.integers(0, len(WIRE.encode(PART)) - 1), change=st.integers(1, 255))
def test_a_datagram_with_any_byte_changed_is_dropped(at: int, change: int) -> None:
    data = bytearray(WIRE.encode(PART))
    data[at] ^= change
    assert (Drop.VERSION if at == 0 else Drop.SIGNATURE) is WIRE.decode(bytes(data))


@given(length=st.integers(0, len(WIRE.encode(PART)) - 1))
def test_a_datagram_that_was_cut_is_dropped(length: int) -> None:
    assert WIRE.decode(WIRE.encode(PART)[:length]) in (Drop.SIGNATURE, Drop.VERSION)


@given(data=st.binary(max_size=1_300))
def test_no_bytes_of_strangers_are_a_part(data: bytes) -> None:
    assert isinstance(WIRE.decode(data), Drop)


@given(payload=st.binary(max_size=1_000))
def test_no_signed_bytes_raise(payload: bytes) -> None:
    assert isinstance(WIRE.decode(signed(payload)), Part | Drop)


def test_a_datagram_of_another_secret_is_dropped() -> None:
    assert Drop.SIGNATURE is GossipWire(b"another secret of 16").decode(WIRE.encode(PART))


def test_a_datagram_of_another_version_is_dropped() -> None:
    assert Drop.VERSION is WIRE.decode(signed(msgspec.msgpack.encode(FIELDS), version=2))


def test_a_datagram_that_is_too_long_is_dropped() -> None:
    longest = with_field(8, bytes(1_088))
    assert MAX_BYTES >= len(longest)
    assert isinstance(WIRE.decode(longest), Part)
    assert Drop.OVERSIZE is WIRE.decode(with_field(8, bytes(1_200)))


def test_a_newer_routers_further_fields_are_passed_over() -> None:
    data = signed(msgspec.msgpack.encode([*FIELDS, {"new": [1, 2]}, "newer"]))
    assert WIRE.decode(signed(msgspec.msgpack.encode(FIELDS))) == WIRE.decode(data)


def test_a_message_with_a_field_too_few_is_malformed() -> None:
    assert Drop.MALFORMED is WIRE.decode(signed(msgspec.msgpack.encode(FIELDS[:-1])))


def test_a_payload_that_nests_deeply_is_malformed() -> None:
    whole = msgspec.msgpack.encode([*FIELDS, 0])
    assert Drop.MALFORMED is WIRE.decode(signed(whole[:-1] + b"\x91" * 1_100))


LAST_SLICE = 2**64 - 2**64 // SLICES


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, "x" * 65),
        (0, b"router"),
        (1, -1),
        (1, "boot"),
        (2, 0),
        (2, 2**63),
        (3, 1),  # part 1 of 1
        (3, -1),
        (4, 3),  # parts: no power of two
        (4, 128),
        (5, -0.5),
        (5, math.inf),
        (5, math.nan),
        (6, 1),
        (7, -1),
        (8, b"1234567"),
        (9, bytes(19)),
        (10, bytes(15)),
        (10, struct.pack("<Qd", 1, -1.0)),
        (10, struct.pack("<Qd", 1, math.nan)),
        (10, struct.pack("<QdQd", 1, 1e308, 2, 1e308)),
        (11, [bytes(15)]),
        (11, [bytes(23)]),
        (11, b""),
    ],
)
def test_a_message_that_makes_no_sense_is_malformed(index: int, value: object) -> None:
    assert Drop.MALFORMED is WIRE.decode(with_field(index, value))


@pytest.mark.parametrize(
    ("part", "count", "hashed"), [(0, 0, 0), (0, 2, 2**63), (1, 2, 2**63 - 1), (62, 64, LAST_SLICE), (63, 64, 0)]
)
def test_a_part_speaks_of_its_own_slices_only(part: int, count: int, hashed: int) -> None:
    for index, entry in ((9, struct.pack("<QIII", hashed, 1, 1, 1)), (10, struct.pack("<Qd", hashed, 1.0))):
        fields = [*FIELDS[:3], part, count, *FIELDS[5:]]
        fields[index] = entry
        assert Drop.MALFORMED is WIRE.decode(signed(msgspec.msgpack.encode(fields)))


def test_a_figure_beyond_32_bits_is_told_as_the_largest() -> None:
    told = WIRE.decode(WIRE.encode(Part("r", 1, 1, rows=((5, 2**32, 2**40, 7),), routers=2**40)))
    assert Part("r", 1, 1, rows=((5, 2**32 - 1, 2**32 - 1, 7),), routers=2**32 - 1) == told


def test_a_part_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"a part of \d+ bytes does not fit"):
        WIRE.encode(Part("r", 1, 1, heard=tuple(range(200))))


def test_a_short_secret_is_an_error() -> None:
    with pytest.raises(ValueError, match="secret must be at least 16 bytes, got 15"):
        GossipWire(b"x" * 15)
