"""Who reaches engines, and whom they reach."""

from tests.helm.policy_world import (
    API_SERVER,
    FILLED,
    HEAD,
    METADATA,
    NEIGHBOUR,
    NODE,
    OPERATOR,
    PLAIN,
    POSTGRESQL,
    PROMETHEUS,
    ROUTER,
    STRANGER,
    TEST,
    WORKER,
    WORLD,
    Way,
    asks_for_names,
    each_way,
    of,
    ways,
)

OPEN: list[Way] = [
    (HEAD, WORKER, 10002), (WORKER, HEAD, 6379), (WORKER, WORKER, 45678), (WORKER, WORLD, 443),
    (PROMETHEUS, WORKER, 8080), (PROMETHEUS, WORKER, 30000), (PROMETHEUS, HEAD, 8080),
    (ROUTER, WORKER, 30000), (ROUTER, WORKER, 31000),
]  # fmt: skip
SHUT: list[Way] = [
    (NEIGHBOUR, WORKER, 30000), (STRANGER, WORKER, 30000), (WORLD, WORKER, 30000), (TEST, WORKER, 30000),
    (OPERATOR, WORKER, 30000), (OPERATOR, WORKER, 8265), (PROMETHEUS, WORKER, 10002), (POSTGRESQL, WORKER, 30000),
    (WORKER, WORLD, 80), (WORKER, METADATA, 443), (WORKER, NODE, 443), (WORKER, API_SERVER, 443),
    (WORKER, POSTGRESQL, 5432), (WORKER, ROUTER, 8080), (WORKER, STRANGER, 443),
]  # fmt: skip


@each_way(OPEN, SHUT)
def test_what_must_arrive_arrives_and_nothing_else(way: Way, is_open: bool) -> None:
    assert is_open is of(PLAIN).allow(*way)


def test_with_the_weights_on_a_claim_engines_have_no_way_out() -> None:
    assert [False, False] == ways(of(FILLED), (WORKER, WORLD, 443), (HEAD, WORLD, 443))


def test_names_are_asked_of_the_clusters_dns() -> None:
    found = of(PLAIN)
    assert asks_for_names(found, WORKER)
    assert asks_for_names(found, HEAD)


def test_without_engines_there_is_no_policy_for_them() -> None:
    pool = {"name": "p", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": ["http://10.0.0.1"]}}
    found = of({"router": {"models": [{"id": "a/m", "context_length": 1, "pools": [pool]}]}})
    assert ["tramontane-router"] == [each["metadata"]["name"] for each in found.objects]
