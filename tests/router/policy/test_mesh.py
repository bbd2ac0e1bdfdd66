"""What others have in flight, whatever the network does to what they say."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from router.policy.catalog import EndpointId
from router.policy.gossip import SLICES, Drop, Insert, Part, name_hash, pack_hashes, slice_of
from router.policy.load import Load
from router.policy.mesh import Mesh, PeerView

OWN, ONE, TWO = 11, 22, 33  # boot ids
A, B, C = (EndpointId(f"10.0.0.{number}:30000") for number in (1, 2, 3))
State = dict[str, Load]


class Ours:
    """A mesh, and what it has said."""

    def __init__(self, *endpoints: EndpointId, max_peers: int = 32) -> None:
        self.told: list[tuple[EndpointId, Load]] = []
        self.inserts: list[tuple[EndpointId, tuple[int, ...]]] = []
        self.mesh = Mesh(
            boot_id=OWN,
            set_peers=lambda endpoint_id, load: self.told.append((endpoint_id, load)),
            insert=lambda endpoint_id, hashes: self.inserts.append((endpoint_id, tuple(hashes))),
            max_peers=max_peers,
        )
        self.mesh.know(endpoints)

    @property
    def loads(self) -> dict[EndpointId, Load]:
        """What was last told of each, without those that have nothing."""
        return {endpoint_id: load for endpoint_id, load in dict(self.told).items() if load != Load()}

    def hear(self, *parts: Part, now: float = 0.0) -> list[Drop | None]:
        return [self.mesh.hear(part, now) for part in parts]


def told(
    boot_id: int,
    seq: int,
    state: State | None = None,
    *,
    parts: int = 1,
    service: dict[str, float] | None = None,
    inserts: Iterable[Insert] = (),
    heard: tuple[int, ...] = (OWN,),
    is_leaving: bool = False,
) -> list[Part]:
    """All that a router says at one tick."""
    rows = [(name_hash(name), load.queued, load.streams, load.context) for name, load in (state or {}).items()]
    paid = [(name_hash(name), amount) for name, amount in (service or {}).items()]
    width = SLICES // parts
    return [
        Part(
            router_id=f"router-{boot_id}",
            boot_id=boot_id,
            seq=seq,
            part=index,
            parts=parts,
            age_s=float(seq),
            is_leaving=is_leaving,
            heard=heard,
            rows=tuple(row for row in rows if slice_of(row[0]) // width == index),
            service=tuple(pair for pair in paid if slice_of(pair[0]) // width == index),
            inserts=tuple(inserts),
        )
        for index in range(parts)
    ]


def insert(endpoint_id: EndpointId, serial: int, *hashes: int) -> Insert:
    return Insert(name_hash(endpoint_id), serial, pack_hashes(hashes))


def test_what_others_have_is_added_up_and_told_when_it_changes() -> None:
    ours = Ours(A, B)
    ours.hear(*told(ONE, 1, {A: Load(5, 1, 50)}))
    ours.hear(*told(TWO, 1, {A: Load(7, 2, 70), B: Load(1, 1, 1)}))
    assert {A: Load(12, 3, 120), B: Load(1, 1, 1)} == ours.loads
    before = len(ours.told)
    ours.hear(*told(ONE, 2, {A: Load(5, 1, 50)}), *told(TWO, 2, {A: Load(7, 2, 70), B: Load(0, 1, 1)}))
    assert [(B, Load(0, 1, 1))] == ours.told[before:]


def test_of_neighbours_in_a_slice_only_those_that_changed_are_told() -> None:
    three, seven = EndpointId("endpoint-3"), EndpointId("endpoint-7")
    assert slice_of(name_hash(three)) == slice_of(name_hash(seven))
    ours = Ours(three, seven)
    ours.hear(*told(ONE, 1, {three: Load(1, 1, 1), seven: Load(2, 2, 2)}))
    before = len(ours.told)
    ours.hear(*told(ONE, 2, {three: Load(1, 1, 1), seven: Load(3, 3, 3)}))
    assert [(seven, Load(3, 3, 3))] == ours.told[before:]


def test_what_is_not_named_has_nothing() -> None:
    ours = Ours(A, B)
    ours.hear(*told(ONE, 1, {A: Load(5, 1, 50), B: Load(6, 1, 60)}), *told(ONE, 2, {B: Load(6, 1, 60)}))
    assert {B: Load(6, 1, 60)} == ours.loads
    assert (A, Load()) == ours.told[-1]


def test_a_lost_part_leaves_what_was_told_of_its_slices() -> None:
    names = [EndpointId(f"endpoint-{number}") for number in range(40)]
    ours = Ours(*names)
    ours.hear(*told(ONE, 1, {name: Load(1, 1, 1) for name in names}, parts=4))
    ours.hear(told(ONE, 2, parts=4)[2])
    assert {name for name in names if slice_of(name_hash(name)) // 16 != 2} == ours.loads.keys()


def test_the_newest_counts_in_whatever_order_they_come() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 2, {A: Load(2, 1, 2)}), *told(ONE, 1, {A: Load(1, 1, 1)}))
    assert {A: Load(2, 1, 2)} == ours.loads


def test_what_is_long_overtaken_is_dropped() -> None:
    ours = Ours(A)
    assert [None, None, Drop.OLD] == ours.hear(*told(ONE, 40), *told(ONE, 21), *told(ONE, 20))


def test_what_comes_back_is_known_as_its_own() -> None:
    ours = Ours(A)
    assert [Drop.OWN] == ours.hear(*told(OWN, 1, {A: Load(1, 1, 1)}))
    assert {} == ours.loads


def test_a_router_counts_once_it_names_this_one() -> None:
    ours = Ours(A)
    assert [Drop.STRANGER] == ours.hear(*told(ONE, 1, {A: Load(1, 1, 1)}, heard=(TWO,)))
    assert ({}, 1, (ONE,)) == (ours.loads, ours.mesh.routers(0.0), ours.mesh.heard(0.0))
    assert [None] == ours.hear(*told(ONE, 2, {A: Load(1, 1, 1)}, heard=(TWO, OWN)))
    assert ({A: Load(1, 1, 1)}, 2, (ONE,)) == (ours.loads, ours.mesh.routers(0.0), ours.mesh.heard(0.0))
    assert [None] == ours.hear(*told(ONE, 3, heard=()))


def test_strangers_are_forgotten_and_are_not_many() -> None:
    ours = Ours(max_peers=2)
    ours.hear(*told(1, 1, heard=()), *told(2, 1, heard=()), *told(3, 1, heard=()))
    assert (1, 2) == ours.mesh.heard(0.0)
    ours.hear(*told(2, 2, heard=()), now=0.8)
    assert (2,) == ours.mesh.heard(1.1)
    ours.mesh.expire(1.1)
    ours.hear(*told(3, 2, heard=()), now=1.1)
    assert (2, 3) == ours.mesh.heard(1.1)


def test_no_more_routers_are_heard_than_may_be() -> None:
    ours = Ours(A, max_peers=1)
    assert [None, Drop.CROWDED] == ours.hear(*told(ONE, 1), *told(TWO, 1, {A: Load(1, 1, 1)}))
    ours.hear(*told(3, 1, heard=()))
    assert (ONE,) == ours.mesh.heard(0.0)


def test_a_silent_router_is_forgotten() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 1, {A: Load(5, 1, 50)}, service={"key": 9.0}), now=0.0)
    ours.hear(*told(TWO, 1, {A: Load(7, 1, 70)}), now=0.5)
    ours.mesh.expire(1.0)
    assert {A: Load(12, 2, 120)} == ours.loads
    ours.mesh.expire(1.1)
    assert {A: Load(7, 1, 70)} == ours.loads
    assert 0.0 == ours.mesh.service("key")
    assert (2, (TWO,)) == (ours.mesh.routers(1.1), ours.mesh.heard(1.1))


def test_a_router_that_is_heard_again_counts_again() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 5, {A: Load(5, 1, 50)}))
    ours.mesh.expire(2.0)
    assert [None] == ours.hear(*told(ONE, 6, {A: Load(6, 1, 60)}, heard=()), now=2.0)
    assert {A: Load(6, 1, 60)} == ours.loads


def test_a_recording_brings_nobody_back_to_life() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 5, {A: Load(5, 1, 50)}))
    ours.mesh.expire(2.0)
    assert [Drop.OLD, Drop.OLD] == ours.hear(*told(ONE, 4, {A: Load(4, 1, 40)}), *told(ONE, 5), now=2.0)
    assert {} == ours.loads


def test_a_recording_keeps_nobody_alive() -> None:
    ours = Ours(A)
    word = told(ONE, 5, {A: Load(5, 1, 50)})
    ours.hear(*word, now=0.0)
    assert [None] == ours.hear(*word, now=0.9)
    ours.mesh.expire(1.1)
    assert {} == ours.loads


def test_of_silent_routers_a_thousand_are_remembered() -> None:
    ours = Ours(max_peers=1_100)
    words = [told(100 + number, 1)[0] for number in range(1_030)]
    ours.hear(*words)
    ours.mesh.expire(2.0)
    assert [None, Drop.OLD] == ours.hear(words[0], words[-1], now=2.0)


def test_a_router_that_restarts_is_another() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 900, {A: Load(5, 1, 50)}), now=0.0)
    ours.hear(*told(TWO, 1, {A: Load(7, 1, 70)}), now=0.9)
    assert {A: Load(12, 2, 120)} == ours.loads
    ours.mesh.expire(1.5)
    assert {A: Load(7, 1, 70)} == ours.loads


def test_an_endpoint_that_only_others_know_counts_from_when_it_is_known() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 1, {B: Load(5, 1, 50)}))
    assert [] == ours.told
    ours.mesh.know([A, B])
    assert [(B, Load(5, 1, 50))] == ours.told
    ours.mesh.know([A, B])
    ours.mesh.know([A])
    ours.hear(*told(ONE, 2, {B: Load(6, 1, 60)}))
    assert 1 == len(ours.told)
    ours.mesh.know([A, B])
    assert {B: Load(6, 1, 60)} == ours.loads


def test_an_insert_that_is_told_twice_is_given_once() -> None:
    ours = Ours(A, B)
    ours.hear(*told(ONE, 1, inserts=[insert(A, 1, 7, 8)]))
    ours.hear(*told(ONE, 2, inserts=[insert(B, 3, 9), insert(A, 1, 7, 8)]))
    ours.hear(*told(ONE, 3, inserts=[insert(A, 2, 10), insert(B, 3, 9), insert(A, 2, 10)]))
    ours.hear(*told(TWO, 1, inserts=[insert(A, 1, 11)]))
    assert [(A, (7, 8)), (B, (9,)), (A, (10,)), (A, (11,))] == ours.inserts


def test_an_insert_from_before_the_window_is_not_given() -> None:
    ours = Ours(A)
    serials = [1, 8_193, 2, 1, 2, 10**18, 8_193, 10**18 - 8_191]
    ours.hear(*told(ONE, 1, inserts=[insert(A, serial, serial) for serial in serials]))
    assert [1, 8_193, 2, 10**18, 10**18 - 8_191] == [hashes[0] for _, hashes in ours.inserts]


def test_an_insert_at_an_endpoint_that_only_others_know_waits_for_it() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 1, inserts=[insert(B, 1, 7), insert(C, 2, 8), insert(B, 3, 9)]))
    ours.mesh.know([A, B])
    assert [(B, (7,)), (B, (9,))] == ours.inserts
    ours.mesh.know([A, B, C])
    assert [(B, (7,)), (B, (9,)), (C, (8,))] == ours.inserts
    ours.mesh.know([A])
    ours.mesh.know([A, B])
    assert 3 == len(ours.inserts)


def test_few_inserts_wait_for_endpoints_that_may_never_come() -> None:
    ours = Ours()
    ours.hear(*told(ONE, 1, inserts=[insert(B, number, number) for number in range(1, 400)]))
    ours.mesh.know([B])
    assert [(B, (number,)) for number in range(144, 400)] == ours.inserts


def test_a_message_without_slices_carries_inserts_alone() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 1, {A: Load(5, 1, 50)}))
    ours.hear(Part("router", ONE, 2, part=0, parts=0, inserts=(insert(A, 1, 7),)))
    assert ({A: Load(5, 1, 50)}, [(A, (7,))]) == (ours.loads, ours.inserts)


def test_a_leaving_router_is_no_router_but_what_it_has_counts() -> None:
    ours = Ours(A)
    ours.hear(*told(ONE, 1), *told(TWO, 1))
    assert 3 == ours.mesh.routers(0.0)
    ours.hear(*told(ONE, 2, {A: Load(5, 1, 50)}, is_leaving=True))
    assert (2, {A: Load(5, 1, 50)}) == (ours.mesh.routers(0.0), ours.loads)
    assert 1 == ours.mesh.routers(1.1)


def test_who_expects_nobody_is_not_alone() -> None:
    assert not Ours().mesh.is_alone(0.0)


def test_who_hears_nobody_of_those_expected_is_alone() -> None:
    ours = Ours()
    ours.mesh.expect(3)
    assert ours.mesh.is_alone(0.0)
    ours.hear(*told(ONE, 1), now=0.0)
    assert [False, True] == [ours.mesh.is_alone(now) for now in (1.0, 1.1)]


def test_who_has_heard_a_router_leave_is_alone_until_it_is_no_more_expected() -> None:
    ours = Ours()
    ours.mesh.expect(1)
    ours.hear(*told(ONE, 1, is_leaving=True))
    ours.mesh.expire(2.0)
    assert ours.mesh.is_alone(2.0)
    ours.mesh.expect(0)
    assert not ours.mesh.is_alone(2.0)


def test_what_accounts_got_from_others_is_added_up() -> None:
    ours = Ours()
    ours.hear(*told(ONE, 1, service={"a": 10.0, "b": 1.0}, parts=8), *told(TWO, 1, service={"a": 5.0}))
    assert (15.0, 1.0, 0.0) == tuple(map(ours.mesh.service, "abc"))
    ours.hear(*told(ONE, 2, service={"a": 8.0}))
    assert (13.0, 0.0, 0.0) == tuple(map(ours.mesh.service, "abc"))


def test_a_mesh_can_be_looked_at() -> None:
    ours = Ours(A)
    ours.mesh.expect(2)
    ours.hear(*told(TWO, 7, {A: Load(1, 1, 1)}, is_leaving=True), now=1.0)
    ours.hear(*told(ONE, 3), now=1.25)
    assert "Mesh(2 heard of 2, 1 endpoints)" == repr(ours.mesh)
    views = (PeerView("router-22", 3.0, 0.25, False), PeerView("router-33", 7.0, 0.5, True))
    assert views == ours.mesh.peers(1.5)


NAMES = [EndpointId(f"endpoint-{number}") for number in range(12)]
LOADS = st.builds(Load, st.integers(0, 9), st.integers(1, 9), st.integers(0, 9))
STATES = st.dictionaries(st.sampled_from(NAMES), LOADS, max_size=12)
PARTS = st.sampled_from([1, 2, 4, 8, 16, 32, 64])
SERVICE = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9).map(float))


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[list[Part]], list[Part]]:
    """For each of some routers all its parts; and what arrives: in any order, doubled, lost, save for the newest."""
    seqs = st.lists(st.integers(1, 60), min_size=1, max_size=5, unique=True)
    everybody: list[list[Part]] = []
    arriving: list[Part] = []
    for boot_id in range(1, draw(st.integers(1, 4)) + 1):
        said: list[Part] = []
        for serial, seq in enumerate(sorted(draw(seqs)), 1):
            said += told(
                boot_id,
                seq,
                draw(STATES),
                parts=draw(PARTS),
                service=draw(SERVICE),
                inserts=[insert(NAMES[0], serial, boot_id, serial)],
                is_leaving=draw(st.booleans()),
            )
        everybody.append(said)
        arriving += draw(st.lists(st.sampled_from(said), max_size=20))
        arriving += [part for part in said if part.seq == said[-1].seq]
    return everybody, draw(st.permutations(arriving))


@given(case=tellings())
@settings(max_examples=150, deadline=None)
def test_gossip_in_any_order_ends_in_the_same_state(case: tuple[list[list[Part]], list[Part]]) -> None:
    everybody, arriving = case
    ours, orderly = Ours(*NAMES), Ours(*NAMES)
    ours.hear(*arriving)
    for said in everybody:
        orderly.hear(*said)
    newest = [[part for part in said if part.seq == said[-1].seq] for said in everybody]
    sums = {name: [0, 0, 0] for name in NAMES}
    by_hash = {name_hash(name): name for name in NAMES}
    for hashed, *figures in (row for said in newest for part in said for row in part.rows):
        total = sums[by_hash[hashed]]
        total[:] = [a + b for a, b in zip(total, figures, strict=True)]
    assert {name: Load(*total) for name, total in sums.items() if any(total)} == ours.loads == orderly.loads
    assert 1 + sum(not said[0].is_leaving for said in newest) == ours.mesh.routers(0.0) == orderly.mesh.routers(0.0)
    assert [*map(orderly.mesh.service, "abc")] == [*map(ours.mesh.service, "abc")]
    assert ours.mesh.peers(0.0) == orderly.mesh.peers(0.0)
    assert 1 == max(Counter(ours.inserts).values())
