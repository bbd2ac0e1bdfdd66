"""What is told at each tick: everything, in pieces that fit, and every insert twice."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.policy.catalog import EndpointId
from router.policy.gossip import Part, name_hash, slice_of
from router.policy.load import Load, TokenLoad
from router.policy.mesh import Mesh
from router.protocol.gossip import GossipWire
from router.protocol.outbox import Outbox

A, B = EndpointId("10.0.0.1:30000"), EndpointId("10.0.0.2:30000")
WIRE = GossipWire(b"a secret of all routers")
INSERT_OF_50 = 419  # bytes


def loads(count: int) -> list[tuple[EndpointId, Load]]:
    return [(EndpointId(f"endpoint-{number}"), Load(number + 1, 1, 2 * number)) for number in range(count)]


def named(parts: list[Part]) -> dict[int, tuple[int, ...]]:
    return {row[0]: row[1:] for part in parts for row in part.rows}


def inserted(parts: list[Part]) -> list[tuple[int, ...]]:
    return [each.hashes() for part in parts for each in part.inserts]


def test_a_small_state_is_one_part() -> None:
    outbox = Outbox("router", 5, started=10.0)
    first = outbox.tick(12.5, loads=[(A, Load(7, 1, 70)), (B, Load())], service=[("key", 3.0)], heard=[8], routers=2)
    expected = Part(
        router_id="router",
        boot_id=5,
        seq=1,
        age_s=2.5,
        routers=2,
        heard=(8,),
        rows=((name_hash(A), 7, 1, 70),),
        service=((name_hash("key"), 3.0),),
    )
    assert [expected] == first
    assert [Part("router", 5, 2, age_s=0.0)] == outbox.tick(9.0, loads=())


def test_a_large_state_is_spread_over_parts_that_speak_for_all_slices() -> None:
    outbox = Outbox("router", 5, started=0.0)
    parts = outbox.tick(1.0, loads=loads(256))
    assert [(at, 8) for at in range(8)] == [(part.part, part.parts) for part in parts]
    assert {name_hash(name): (load.queued, 1, load.context) for name, load in loads(256)} == named(parts)
    assert 0 == outbox.left_out


def test_what_even_the_most_parts_do_not_hold_is_left_out_and_counted() -> None:
    outbox = Outbox("router", 5, started=0.0, max_accounts=10_000)
    names = [f"key-{number}" for number in range(1_000)]
    parts = outbox.tick(1.0, loads=loads(4_000), service=[(name, 1.0) for name in names])
    told = len(named(parts)) + sum(len(part.service) for part in parts)
    assert (64, 5_000) == (len(parts), told + outbox.left_out)
    assert 0 < outbox.left_out < 2_000
    assert all(len(WIRE.encode(part)) <= 1_200 for part in parts)


def test_the_accounts_that_got_most_are_told() -> None:
    outbox = Outbox("router", 5, started=0.0, max_accounts=2)
    (part,) = outbox.tick(1.0, loads=(), service=[("a", 1.0), ("b", 3.0), ("c", 2.0)])
    assert {name_hash("b"): 3.0, name_hash("c"): 2.0} == dict(part.service)


def test_an_insert_is_told_in_two_ticks_and_its_end_first() -> None:
    outbox = Outbox("router", 5, started=0.0)
    outbox.insert(A, range(1, 121))
    pieces = [tuple(range(101, 121)), tuple(range(51, 101)), tuple(range(1, 51))]
    first = outbox.tick(0.0, loads=())
    assert (pieces, [1, 2, 3]) == (inserted(first), [each.serial for part in first for each in part.inserts])
    outbox.insert(B, [7])
    second = outbox.tick(0.05, loads=())
    assert [(7,), *pieces] == inserted(second)
    assert [(7,)] == inserted(outbox.tick(0.1, loads=()))
    assert [] == inserted(outbox.tick(0.15, loads=()))


def test_inserts_use_the_room_beside_the_state_before_datagrams_of_their_own() -> None:
    outbox = Outbox("router", 5, started=0.0)
    outbox.insert(A, range(200))
    parts = outbox.tick(0.0, loads=loads(20))
    assert [(0, 1, 20, 1), (0, 0, 0, 2), (0, 0, 0, 1)] == [
        (part.part, part.parts, len(part.rows), len(part.inserts)) for part in parts
    ]


def test_an_insert_without_blocks_is_not_told() -> None:
    outbox = Outbox("router", 5, started=0.0)
    outbox.insert(A, [])
    assert [] == inserted(outbox.tick(0.0, loads=()))


def test_what_is_more_than_a_tick_may_tell_waits() -> None:
    outbox = Outbox("router", 5, started=0.0, insert_bytes=2 * INSERT_OF_50)
    for number in range(5):
        outbox.insert(A, [number] * 50)
    told = [[hashes[0] for hashes in inserted(outbox.tick(0.0, loads=()))] for _ in range(4)]
    assert [[0, 1], [2, 3, 0, 1], [4, 2, 3], [4]] == told
    assert 0 == outbox.dropped_inserts


def test_of_what_waits_too_long_the_oldest_is_dropped_and_counted() -> None:
    outbox = Outbox("router", 5, started=0.0, insert_bytes=INSERT_OF_50, queue_bytes=2 * INSERT_OF_50)
    for number in range(5):
        outbox.insert(A, [number] * 50)
    assert 3 == outbox.dropped_inserts
    told = [[hashes[0] for hashes in inserted(outbox.tick(0.0, loads=()))] for _ in range(3)]
    assert [[3], [4, 3], [4]] == told


def test_the_last_word_is_that_nothing_is_left() -> None:
    outbox = Outbox("router", 5, started=0.0)
    outbox.tick(0.0, loads=loads(3))
    outbox.is_leaving = True
    assert [(True, 3)] == [(part.is_leaving, len(part.rows)) for part in outbox.tick(0.5, loads=loads(3))]
    assert [Part("router", 5, 3, age_s=1.0, is_leaving=True, heard=(9,))] == outbox.leave(1.0, heard=[9])


def test_a_name_that_is_too_long_is_an_error() -> None:
    Outbox("é" * 32, 5, started=0.0)
    with pytest.raises(ValueError, match="router_id must be at most 64 bytes"):
        Outbox("é" * 33, 5, started=0.0)


def test_routers_in_virtual_time_agree_although_messages_are_lost_and_late() -> None:
    rng = random.Random(1)
    ledgers = [TokenLoad() for _ in range(4)]
    indices: list[set[int]] = [set() for _ in ledgers]
    meshes = [
        Mesh(boot_id=at, set_peers=ledger.set_peers, insert=lambda _, hashes, index=index: index.update(hashes))  # type: ignore[misc]
        for at, (ledger, index) in enumerate(zip(ledgers, indices, strict=True))
    ]
    outboxes = [Outbox(f"router-{at}", at, started=0.0) for at in range(4)]
    under_way: list[tuple[int, Part]] = []
    for tick in range(200):
        now = tick * 0.05
        for at, (ledger, mesh, outbox) in enumerate(zip(ledgers, meshes, outboxes, strict=True)):
            if tick < 180:
                ledger.take(rng.choice([A, B]), 100, 10)
                outbox.insert(A, [4 * tick + at])
            mesh.expire(now)
            mesh.know([A, B])
            told = outbox.tick(now, loads=ledger.own(), heard=mesh.heard(now), routers=mesh.routers(now))
            under_way += [(other, part) for other in range(4) if other != at for part in told]
        rng.shuffle(under_way)
        arriving, under_way = under_way[4:], under_way[:4]  # four are late
        for other, part in arriving:
            if rng.random() >= 0.01:
                meshes[other].hear(part, now)
    for endpoint_id in (A, B):
        assert 1 == len({ledger.of(endpoint_id).streams + ledger.of(endpoint_id).peer_streams for ledger in ledgers})
    assert [4] * 4 == [mesh.routers(9.95) for mesh in meshes]
    # of 540 prompts of the others: all but those told before the routers knew each other, and those lost twice
    assert all(len(index) >= 530 for index in indices)


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=16),
    endpoints=st.integers(0, 300),
    accounts=st.integers(0, 100),
    prompts=st.lists(st.integers(0, 300), max_size=10),
    heard=st.integers(0, 80),
)
@settings(max_examples=60, deadline=None)
def test_any_state_fits_into_datagrams_and_arrives_whole(
    name: str, endpoints: int, accounts: int, prompts: list[int], heard: int
) -> None:
    outbox = Outbox(name, 2**63 - 1, started=0.0)
    outbox.seq = 2**62
    for number, blocks in enumerate(prompts):
        outbox.insert(A, [2**64 - 1 - number] * blocks)
    service = [(f"key-{number}", 1.5 + number) for number in range(accounts)]
    parts = outbox.tick(1e8, loads=loads(endpoints), service=service, heard=[2**64 - 1, *range(heard)], routers=99)
    given_on: list[int] = []
    told: dict[EndpointId, Load] = {}
    mesh = Mesh(
        boot_id=2**64 - 1,
        set_peers=told.__setitem__,
        insert=lambda _, hashes: given_on.extend(hashes),
    )
    mesh.know([A, *(name for name, _ in loads(endpoints))])
    for part in parts:
        arrived = WIRE.decode(WIRE.encode(part))
        assert part == arrived
        assert mesh.hear(part, 0.0) is None
    assert dict(loads(endpoints)) == told
    assert dict(service) == {name: mesh.service(name) for name, _ in service}
    assert sum(prompts) == len(given_on)
    assert {slice_of(row[0]) in part.slices() for part in parts for row in part.rows} <= {True}
