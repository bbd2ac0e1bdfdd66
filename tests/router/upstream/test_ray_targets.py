"""Ray Serve's answer to endpoints, by plain calls."""

import json
from collections.abc import Iterable

import pytest

from router.policy.catalog import Endpoint, EndpointId
from router.upstream.ray_targets import RayUnclear, read_targets
from tests.router.upstream.ray_documents import (
    APPLICATION,
    EMPTY,
    PROXY,
    application,
    controller,
    document,
    group,
    replica,
    running,
    target,
)


def endpoints_of(said: bytes, name: str, known: Iterable[Endpoint] = ()) -> tuple[Endpoint, ...]:
    return read_targets(said, name, known).endpoints


def endpoint(name: str, url: str) -> Endpoint:
    return Endpoint(EndpointId(f"{APPLICATION}#LLMServer#{name}"), url)


A = endpoint("a", "http://10.0.0.2:30000")
B = endpoint("b", "http://10.0.0.2:30001")


def test_each_running_replica_is_an_endpoint_at_its_own_port() -> None:
    assert (A, B) == endpoints_of(running("a", "b"), APPLICATION)


def test_an_ipv6_address_is_bracketed() -> None:
    found = document({APPLICATION: application([replica("a")])}, [group([target("a", ip="fd00::1")])])
    assert (endpoint("a", "http://[fd00::1]:30000"),) == endpoints_of(found, APPLICATION)


def test_other_applications_and_other_protocols_are_not_ours() -> None:
    found = document(
        {APPLICATION: application([replica("a")]), "other": application([replica("x", application="other")])},
        [
            group([target("x", application="other", port=30007)], application="other"),
            group([target("a", port=9000)], protocol="gRPC"),
            group([target("a")]),
        ],
    )
    assert (A,) == endpoints_of(found, APPLICATION)


def test_a_proxy_is_no_door_of_a_replica() -> None:
    starting = document({APPLICATION: application([replica("a", "STARTING")])}, [group([PROXY])])
    assert () == endpoints_of(starting, APPLICATION)


def test_a_replica_that_stops_has_left() -> None:
    stopping = [replica("a", "STOPPING"), replica("b")]
    found = document({APPLICATION: application(stopping)}, [group([target("b", port=30001)])])
    assert (B,) == endpoints_of(found, APPLICATION, known=(A, B))


def test_a_replica_that_is_to_move_serves_only_while_there_is_no_other() -> None:
    doors = [group([target("a"), target("b", port=30001)])]
    both = [replica("a", "PENDING_MIGRATION"), replica("b")]
    assert (B,) == endpoints_of(document({APPLICATION: application(both)}, doors), APPLICATION)
    alone = [replica("a", "PENDING_MIGRATION"), replica("b", "STARTING")]
    assert (A,) == endpoints_of(document({APPLICATION: application(alone)}, doors), APPLICATION)


def test_replicas_that_a_new_controller_is_only_getting_to_know_are_kept_if_they_were_known() -> None:
    recovering = [replica("a", "RECOVERING"), replica("b", "RECOVERING")]
    found = document({APPLICATION: application(recovering)}, [group([PROXY])])
    assert (A,) == endpoints_of(found, APPLICATION, known=(A,))
    assert () == endpoints_of(found, APPLICATION)


def test_a_replica_whose_options_are_changed_in_place_serves_on_if_it_was_known() -> None:
    both = [replica("a", "UPDATING"), replica("b")]
    found = document({APPLICATION: application(both)}, [group([target("b", port=30001)])])
    assert (B, A) == endpoints_of(found, APPLICATION, known=(A, B))
    alone = document({APPLICATION: application([replica("a", "UPDATING")])}, [group([PROXY])])
    assert (A,) == endpoints_of(alone, APPLICATION, known=(A,))
    assert () == endpoints_of(alone, APPLICATION)


def test_during_an_update_in_place_the_old_replicas_serve_until_the_new_ones_do() -> None:
    doors = [group([target("a"), target("b", port=30001)])]
    for others in (("STARTING", "STARTING"), ("STARTING",), ()):
        new = [replica(name, state) for name, state in zip("xy", others, strict=False)]
        found = document({APPLICATION: application([replica("a"), replica("b"), *new])}, doors)
        assert (A, B) == endpoints_of(found, APPLICATION, known=(A, B))
    moved = document(
        {APPLICATION: application([replica("a", "STOPPING"), replica("b"), replica("x", "STARTING")])},
        [group([target("b", port=30001)])],
    )
    assert (B,) == endpoints_of(moved, APPLICATION, known=(A, B))


@pytest.mark.parametrize("status", ["DEPLOYING", "DEPLOY_FAILED", "UNHEALTHY"])
def test_while_a_changed_application_is_built_nothing_is_said_of_its_replicas(status: str) -> None:
    """As Ray 2.60 answers from the change until it is built, and until the next change where that fails."""
    built = document({APPLICATION: {"status": status, "deployments": {}}}, [group([PROXY])])
    with pytest.raises(RayUnclear, match=f"anew \\({status}\\)"):
        read_targets(built, APPLICATION, known=(A, B))


def test_an_application_that_is_being_deleted_has_no_endpoints() -> None:
    deleted = document({APPLICATION: {"status": "DELETING", "deployments": {}}}, [group([PROXY])])
    assert () == endpoints_of(deleted, APPLICATION, known=(A, B))


def test_who_tells_is_told_and_is_another_after_every_restart() -> None:
    tellers = [
        read_targets(running("a", by=by), APPLICATION).controller
        for by in (controller("w-1"), controller("w-2"), controller("w-2", actor="c-2"), None)
    ]
    assert ["c-1/w-1", "c-1/w-2", "c-2/w-2", ""] == tellers
    assert "c-1/w-1" == read_targets(document({}, [], controller("w-1")), APPLICATION).controller


def test_an_application_that_is_not_deployed_has_none() -> None:
    assert () == endpoints_of(document({}, []), APPLICATION, known=(A,))


def test_a_replica_whose_port_is_not_known_yet_is_left_out() -> None:
    found = document(
        {APPLICATION: application([replica("a"), replica("b")])}, [group([target("a"), target("b", port=0)])]
    )
    assert (A,) == endpoints_of(found, APPLICATION)


def test_replicas_without_ports_of_their_own_are_a_mistake_in_rays_environment() -> None:
    found = document({APPLICATION: application([replica("a")])}, [group([PROXY], application="")])
    with pytest.raises(RayUnclear, match="RAY_SERVE_ENABLE_DIRECT_INGRESS=1"):
        endpoints_of(found, APPLICATION)


def test_without_a_controller_nothing_is_known() -> None:
    with pytest.raises(RayUnclear, match="not running"):
        endpoints_of(json.dumps(EMPTY).encode(), APPLICATION)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"applications": {"a": 1}}',
        b'{"applications":{},"target_groups":[{}]}',
        b"\xff{",
    ],
)
def test_nonsense_is_not_understood(bad: bytes) -> None:
    with pytest.raises(RayUnclear, match="not what Ray Serve gives"):
        endpoints_of(bad, APPLICATION)
