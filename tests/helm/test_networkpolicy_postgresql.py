"""Who reaches the embedded database. It reaches nobody."""

import pytest

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
    of,
)

OPEN: list[Way] = [(ROUTER, POSTGRESQL, 5432)]
SHUT: list[Way] = [
    (NEIGHBOUR, POSTGRESQL, 5432), (WORKER, POSTGRESQL, 5432), (TEST, POSTGRESQL, 5432), (STRANGER, POSTGRESQL, 5432),
    (PROMETHEUS, POSTGRESQL, 5432), (ROUTER, POSTGRESQL, 22), (POSTGRESQL, WORLD, 443), (POSTGRESQL, DNS, 53),
    (POSTGRESQL, ROUTER, 8080),
]  # fmt: skip


@pytest.mark.parametrize("way", OPEN, ids=str)
def test_what_must_arrive_arrives(way: Way) -> None:
    assert of(PLAIN).allow(*way)


@pytest.mark.parametrize("way", SHUT, ids=str)
def test_what_has_no_reason_to_arrive_does_not(way: Way) -> None:
    assert not of(PLAIN).allow(*way)
