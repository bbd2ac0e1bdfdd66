"""The download reaches the hub."""

from tests.helm.policies import Outside
from tests.helm.policy_world import (
    DOWNLOAD,
    FILLED,
    NEIGHBOUR,
    PLAIN,
    POSTGRESQL,
    ROUTER,
    WORKER,
    WORLD,
    asks_for_names,
    of,
    ways,
)


def test_the_download_reaches_the_hub_and_nothing_in_the_cluster() -> None:
    found = of(
        FILLED, weights__download__endpoint="http://hub.internal:8080", networkPolicy__weightsFrom=["10.1.2.3/32"]
    )
    assert [True, True, False, False, False, False] == ways(
        found,
        (DOWNLOAD, Outside("10.1.2.3"), 8080),
        (DOWNLOAD, Outside("10.1.2.3"), 443),
        (DOWNLOAD, WORLD, 443),
        (DOWNLOAD, ROUTER, 8080),
        (DOWNLOAD, POSTGRESQL, 5432),
        (NEIGHBOUR, DOWNLOAD, 443),
    )


def test_engines_that_fetch_themselves_reach_the_same() -> None:
    found = of(PLAIN, weights__download__endpoint="https://hub.example:8443")
    assert [True, False] == ways(found, (WORKER, WORLD, 8443), (WORKER, WORLD, 8080))


def test_it_asks_for_names() -> None:
    assert asks_for_names(of(FILLED), DOWNLOAD)
