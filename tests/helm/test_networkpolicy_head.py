"""Who reaches the head of Ray, and whom it reaches beyond engines."""

from tests.helm.policies import Outside, Pod
from tests.helm.policy_world import (
    API_SERVER,
    CLEANUP,
    HEAD,
    METADATA,
    NEIGHBOUR,
    OPERATOR,
    PLAIN,
    PROMETHEUS,
    ROUTER,
    STRANGER,
    TEST,
    WORKER,
    WORLD,
    Way,
    each_way,
    of,
    ways,
)

OPEN: list[Way] = [
    (ROUTER, HEAD, 8265), (ROUTER, HEAD, 8000), (OPERATOR, HEAD, 8265), (OPERATOR, HEAD, 8000),
    (PROMETHEUS, HEAD, 44217), (PROMETHEUS, HEAD, 44227),
]  # fmt: skip
SHUT: list[Way] = [
    (NEIGHBOUR, HEAD, 8265), (STRANGER, HEAD, 8265), (WORLD, HEAD, 8265), (PROMETHEUS, HEAD, 8265),
    (TEST, HEAD, 8265), (OPERATOR, HEAD, 6379), (NEIGHBOUR, HEAD, 44217), (NEIGHBOUR, HEAD, 6379),
    (HEAD, API_SERVER, 443), (HEAD, API_SERVER, 6443), (HEAD, Outside("10.9.9.9"), 6379), (CLEANUP, API_SERVER, 443),
]  # fmt: skip


@each_way(OPEN, SHUT)
def test_what_must_arrive_arrives_and_nothing_else(way: Way, is_open: bool) -> None:
    assert is_open is of(PLAIN).allow(*way)


def test_scrapers_and_kuberays_namespace_can_be_named() -> None:
    found = of(PLAIN, networkPolicy__scrapers=[{"podSelector": {}}], networkPolicy__operatorNamespace="ray")
    assert not found.allow(PROMETHEUS, ROUTER, 9090)
    assert found.allow(NEIGHBOUR, ROUTER, 9090)
    assert not found.allow(OPERATOR, HEAD, 8265)
    assert found.allow(Pod("ray", OPERATOR.labels), HEAD, 8265)


def test_an_engine_that_scales_opens_the_api_server_to_the_head_alone() -> None:
    scaling = {"model": "mistral-small-3.1-24b", "preset": "h100", "autoscaling": {"max_replicas": 2}}
    found = of(PLAIN, engines__mistral__deployment=scaling)
    assert [True, False, False] == ways(
        found, (HEAD, API_SERVER, 6443), (WORKER, API_SERVER, 6443), (HEAD, METADATA, 443)
    )
    narrow = of(PLAIN, engines__mistral__deployment=scaling, networkPolicy__apiServers=["10.0.0.1/32"])
    assert [True, False] == ways(narrow, (HEAD, API_SERVER, 443), (HEAD, Outside("10.0.0.2"), 443))


def test_redis_is_for_the_head_and_for_who_clears_it() -> None:
    found = of(PLAIN, ray__gcsFaultTolerance__backend="redis", ray__gcsFaultTolerance__redis__address="r.redis:6380")
    redis = Pod("redis", {})
    for port in (6379, 6380):
        assert [True, True, False, False] == ways(
            found, (HEAD, redis, port), (CLEANUP, redis, port), (WORKER, redis, port), (ROUTER, redis, port)
        )
