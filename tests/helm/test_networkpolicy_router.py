"""Who reaches routers, and whom they reach."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.helm.policies import Outside, Policies
from tests.helm.policy_world import (
    API_SERVER,
    HEAD,
    KUBE_SYSTEM,
    METADATA,
    NEIGHBOUR,
    NODE,
    PLAIN,
    POSTGRESQL,
    PROMETHEUS,
    ROUTER,
    SHARED,
    STRANGER,
    TEST,
    WIRE_SERVER,
    WORKER,
    WORLD,
    WORLD_6,
    Way,
    asks_for_names,
    each_way,
    of,
    ways,
)

OPEN: list[Way] = [
    (WORLD, ROUTER, 8080), (STRANGER, ROUTER, 8080), (NEIGHBOUR, ROUTER, 8080), (NEIGHBOUR, ROUTER, 8081),
    (TEST, ROUTER, 8080), (TEST, ROUTER, 8081), (PROMETHEUS, ROUTER, 9090),
    (ROUTER, WORKER, 30000), (ROUTER, WORKER, 31000), (ROUTER, WORKER, 31100), (ROUTER, WORKER, 31101),
    (ROUTER, HEAD, 8265), (ROUTER, HEAD, 8000),
    (ROUTER, POSTGRESQL, 5432), (ROUTER, WORLD, 443),
]  # fmt: skip
SHUT: list[Way] = [
    (STRANGER, ROUTER, 8081), (WORLD, ROUTER, 8081), (NEIGHBOUR, ROUTER, 9090), (STRANGER, ROUTER, 9090),
    (WORKER, ROUTER, 8080), (WORKER, ROUTER, 8081), (POSTGRESQL, ROUTER, 8080),
    (ROUTER, HEAD, 6379), (ROUTER, HEAD, 10001), (ROUTER, WORKER, 8265), (ROUTER, WORKER, 8000), (ROUTER, WORKER, 22),
    (ROUTER, WORKER, 8080),
    (ROUTER, WORLD, 80), (ROUTER, WORLD, 22), (ROUTER, METADATA, 80), (ROUTER, METADATA, 443), (ROUTER, NODE, 443),
    (ROUTER, SHARED, 443), (ROUTER, WIRE_SERVER, 443), (ROUTER, API_SERVER, 443), (ROUTER, API_SERVER, 6443),
    (ROUTER, STRANGER, 443), (ROUTER, WORLD_6, 443), (ROUTER, KUBE_SYSTEM, 443),
]  # fmt: skip


@each_way(OPEN, SHUT)
def test_what_must_arrive_arrives_and_nothing_else(way: Way, is_open: bool) -> None:
    assert is_open is of(PLAIN).allow(*way)


def test_routers_gossip_among_themselves_alone() -> None:
    found = of(PLAIN)
    assert found.allow(ROUTER, ROUTER, 8082, "UDP")
    assert not found.allow(ROUTER, ROUTER, 8082, "TCP")
    assert not found.allow(NEIGHBOUR, ROUTER, 8082, "UDP")
    assert not found.allow(ROUTER, WORKER, 8082, "UDP")


def test_clients_can_be_named_and_the_releases_own_test_is_one() -> None:
    found = of(PLAIN, networkPolicy__clients=[{"namespaceSelector": {"matchLabels": {"a": "b"}}}])
    assert not found.allow(STRANGER, ROUTER, 8080)
    assert not found.allow(WORLD, ROUTER, 8080)
    assert found.allow(TEST, ROUTER, 8080)


def test_aws_balancers_may_ask_whether_routers_are_ready() -> None:
    found = of(PLAIN, ingress__enabled=True, ingress__controller="alb", ingress__host="a.example")
    assert found.allow(NODE, ROUTER, 9090)


def test_without_a_database_no_port_of_one_is_open() -> None:
    assert not of(PLAIN, database__embedded__enabled=False).allow(ROUTER, Outside("10.7.7.7"), 5432)


def elsewhere(*discoveries: Mapping[str, Any], **config: Any) -> Policies:
    pools = [{"name": f"p{n}", "upstream_model": "m", "discovery": it} for n, it in enumerate(discoveries)]
    model = {"id": "acme/m", "context_length": 1024, "pools": pools}
    return of({"router": {"models": [model], "config": config}})


def test_engines_named_by_address_are_reached_exactly_there() -> None:
    found = elsewhere({"kind": "static", "endpoints": ["http://10.20.0.11:8000", "https://[fd00::7]"]})
    assert [True, False, False, True] == ways(
        found,
        (ROUTER, Outside("10.20.0.11"), 8000),
        (ROUTER, Outside("10.20.0.12"), 8000),
        (ROUTER, Outside("10.20.0.11"), 22),
        (ROUTER, Outside("fd00::7"), 443),
    )


def test_engines_named_by_name_are_reached_at_their_port() -> None:
    found = elsewhere({"kind": "static", "endpoints": ["http://vllm.somebody:8000"]})
    assert [True, True, False, False] == ways(
        found, (ROUTER, STRANGER, 8000), (ROUTER, NODE, 8000), (ROUTER, STRANGER, 8001), (ROUTER, METADATA, 8000)
    )


def test_engines_found_by_kubernetes_are_reached_in_their_namespace_and_the_api_server_too() -> None:
    found = elsewhere({"kind": "kubernetes", "service": "s", "namespace": "somebody", "port": "8000"})
    assert [True, False, False, True] == ways(
        found, (ROUTER, STRANGER, 8000), (ROUTER, STRANGER, 22), (ROUTER, PROMETHEUS, 8000), (ROUTER, API_SERVER, 6443)
    )
    assert elsewhere({"kind": "kubernetes", "service": "s", "port": "http"}).allow(ROUTER, NEIGHBOUR, 8000)


def test_another_ray_cluster_is_reached_at_its_head_and_its_replicas() -> None:
    found = elsewhere({"kind": "ray", "dashboard": "http://head.somebody:8265", "application": "a"})
    assert [True, True, False] == ways(
        found, (ROUTER, STRANGER, 8265), (ROUTER, STRANGER, 30000), (ROUTER, STRANGER, 6379)
    )


def test_providers_inside_or_at_another_port_are_reached() -> None:
    provider = {"slug": "own", "url": "https://gpu.internal:8443/v1", "key": {"env": "KEY"}}
    found = elsewhere({"kind": "static", "endpoints": ["http://127.0.0.1:1"]}, providers=[provider])
    assert [True, False] == ways(found, (ROUTER, NODE, 8443), (ROUTER, NODE, 443))


def test_plain_http_is_open_where_pictures_may_come_by_it() -> None:
    at = {"kind": "static", "endpoints": ["http://127.0.0.1:1"]}
    assert elsewhere(at, media={"enabled": True, "schemes": ["https", "http"]}).allow(ROUTER, WORLD, 80)
    assert not elsewhere(at, media={"enabled": True}).allow(ROUTER, WORLD, 80)


@pytest.mark.parametrize(
    ("cidr", "inside", "outside"),
    [
        ("0.0.0.0/0", ["93.184.215.14", "11.0.0.1", "172.32.0.1"], ["10.0.0.1", "172.31.0.1", "100.127.0.1"]),
        ("0.0.0.0/1", ["11.0.0.1", "100.63.0.1"], ["10.0.0.1", "100.64.0.1", "127.0.0.1", "172.16.0.1"]),
        ("168.0.0.0/6", ["170.1.1.1"], ["168.63.129.16", "169.254.169.254"]),
        ("10.20.0.0/16", ["10.20.3.4"], ["10.21.0.1"]),  # named on purpose
        ("10.0.0.0/8", ["10.1.1.1"], ["11.0.0.1"]),
        ("93.184.215.0/24", ["93.184.215.14"], ["93.184.216.1"]),
        ("::/0", ["2606:2800::1"], ["fd00:ec2::254", "fe80::1"]),
        ("fd12:3456::/32", ["fd12:3456::1"], ["fd12:3457::1"]),
    ],
)
def test_a_range_is_open_without_the_private_ones_within_it(cidr: str, inside: list[str], outside: list[str]) -> None:
    found = of(PLAIN, networkPolicy__routersTo=[cidr])
    assert [True] * len(inside) == ways(found, *((ROUTER, Outside(each), 443) for each in inside))
    assert [False] * len(outside) == ways(found, *((ROUTER, Outside(each), 443) for each in outside))


def test_ports_for_events_follow_the_engines() -> None:
    found = of(PLAIN, engines__mistral__deployment__kv_events={"port": 32000})
    assert [True, False] == ways(found, (ROUTER, WORKER, 32001), (ROUTER, WORKER, 31100))


def test_names_are_asked_of_the_clusters_dns() -> None:
    assert asks_for_names(of(PLAIN), ROUTER)
