"""Who reaches the embedded database. It reaches nobody."""

from tests.helm.policy_world import (
    DNS,
    NEIGHBOUR,
    PLAIN,
    POSTGRESQL,
    PROMETHEUS,
    ROUTER,
    STRANGER,
    TEST,
    WORKER,
    WORLD,
    Way,
    each_way,
    of,
)

OPEN: list[Way] = [(ROUTER, POSTGRESQL, 5432)]
SHUT: list[Way] = [
    (NEIGHBOUR, POSTGRESQL, 5432), (WORKER, POSTGRESQL, 5432), (TEST, POSTGRESQL, 5432), (STRANGER, POSTGRESQL, 5432),
    (PROMETHEUS, POSTGRESQL, 5432), (ROUTER, POSTGRESQL, 22), (POSTGRESQL, WORLD, 443), (POSTGRESQL, DNS, 53),
    (POSTGRESQL, ROUTER, 8080),
]  # fmt: skip


@each_way(OPEN, SHUT)
def test_what_must_arrive_arrives_and_nothing_else(way: Way, is_open: bool) -> None:
    assert is_open is of(PLAIN).allow(*way)
