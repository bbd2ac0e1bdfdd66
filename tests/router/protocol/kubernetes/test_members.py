"""Slices to endpoints, by plain calls."""

from dataclasses import replace

import pytest
from kubernetes import client

from router.protocol.kubernetes.members import Members, Wanted, members_of
from tests.kubernetes_server import NAMESPACE, SERVICE, leaving, pod, slice_of
from tests.router.protocol.kubernetes.said import WANTED, read


def found(*slices: client.V1EndpointSlice, wanted: Wanted = WANTED) -> dict[str, str]:
    """Ids and addresses; slices are the newer the later they stand."""
    members = of(*slices, wanted=wanted)
    assert () == members.complaints
    return {each.id: each.url for each in members.endpoints}


def of(*slices: client.V1EndpointSlice, wanted: Wanted = WANTED) -> Members:
    return members_of([read(each, version) for version, each in enumerate(slices, 1)], wanted)


E1 = {"serving/e1:8000": "http://10.0.0.1:8000"}


def test_a_ready_pod_is_an_endpoint_by_its_name_and_port() -> None:
    assert E1 == found(slice_of("a", pod("e1", "10.0.0.1")))


def test_endpoints_are_in_the_order_of_their_ids() -> None:
    assert ["serving/e1:8000", "serving/e2:8000", "serving/e3:8000"] == list(
        found(slice_of("a", pod("e3", "10.0.0.3"), pod("e1", "10.0.0.1")), slice_of("b", pod("e2", "10.0.0.2")))
    )


@pytest.mark.parametrize(
    ("conditions", "is_one"),
    [
        ({"ready": None}, True),
        ({"ready": True, "serving": True, "terminating": False}, True),
        ({"ready": False}, False),
        ({"ready": True, "serving": False}, False),  # its Service publishes what is not ready
        ({"ready": True, "terminating": True}, False),
        ({"ready": None, "serving": True, "terminating": True}, False),
        ({"ready": False, "serving": True, "terminating": True}, False),
    ],
)
def test_conditions_are_taken_as_the_api_documents_them(conditions: dict[str, bool | None], is_one: bool) -> None:
    assert (E1 if is_one else {}) == found(slice_of("a", pod("e1", "10.0.0.1", **conditions)))


def test_without_conditions_an_endpoint_is_ready() -> None:
    assert {"10.0.0.1:8000": "http://10.0.0.1:8000"} == found(slice_of("a", client.V1Endpoint(addresses=["10.0.0.1"])))


def test_what_is_none_is_counted() -> None:
    members = of(
        slice_of("a", pod("e1", "10.0.0.1", ready=False), leaving("e2", "10.0.0.2"), leaving("e3", "10.0.0.3"))
    )
    assert Members((), unready=1, leaving=2) == members


def test_a_pod_in_two_slices_counts_once() -> None:
    assert E1 == found(slice_of("a", pod("e1", "10.0.0.1")), slice_of("b", pod("e1", "10.0.0.1")))


def test_a_pod_is_ready_if_one_of_its_slices_says_so() -> None:
    assert E1 == found(slice_of("a", pod("e1", "10.0.0.1")), slice_of("b", pod("e1", "10.0.0.1", ready=False)))


@pytest.mark.parametrize("order", [1, -1])
def test_a_pod_is_leaving_if_any_of_its_slices_says_so(order: int) -> None:
    said = [slice_of("a", pod("e1", "10.0.0.1")), slice_of("b", leaving("e1", "10.0.0.1"))][::order]
    assert {} == found(*said)


def test_an_address_is_left_by_a_pod_even_if_another_slice_does_not_say_which_of_that_name() -> None:
    assert {} == found(slice_of("a", pod("e1", "10.0.0.1", uid="x")), slice_of("b", leaving("e1", "10.0.0.1")))


def test_a_successor_of_the_same_name_is_an_endpoint_while_its_predecessor_leaves() -> None:
    assert {"serving/e1:8000": "http://10.0.0.2:8000"} == found(
        slice_of("a", leaving("e1", "10.0.0.1")), slice_of("b", pod("e1", "10.0.0.2", uid="another"))
    )


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_pods_of_one_name_the_newest_counts(order: int) -> None:
    said = [pod("e1", "10.0.0.1"), pod("e1", "10.0.0.2", uid="another")][::order]
    newest = said[-1].addresses[0]
    assert {"serving/e1:8000": f"http://{newest}:8000"} == found(slice_of("a", said[0]), slice_of("b", said[1]))


V4 = slice_of("four", pod("e1", "10.0.0.1"))
V6 = slice_of("six", pod("e1", "fd00::1"), family="IPv6")
SIX = {"serving/e1:8000": "http://[fd00::1]:8000"}


def test_of_two_families_ipv4_is_taken() -> None:
    assert E1 == found(V4, V6) == found(V6, V4)


def test_a_cluster_of_ipv6_alone_needs_no_setting() -> None:
    assert SIX == found(V6)


def test_a_family_can_be_chosen() -> None:
    assert SIX == found(V4, V6, wanted=replace(WANTED, family="IPv6"))
    assert E1 == found(V4, V6, wanted=replace(WANTED, family="IPv4"))


def test_a_pod_that_leaves_by_one_family_is_not_asked_by_the_other() -> None:
    assert {} == found(slice_of("four", leaving("e1", "10.0.0.1")), V6)


def test_a_pod_that_is_not_ready_by_the_better_family_does_not_move_to_the_other() -> None:
    assert {} == found(slice_of("four", pod("e1", "10.0.0.1", ready=False)), V6)


TWO = (("http", 8000), ("metrics", 9000))


@pytest.mark.parametrize("port", ["metrics", 9000])
def test_a_port_is_chosen_by_name_or_number(port: str | int) -> None:
    wanted = replace(WANTED, port=port, scheme="https")
    assert {"serving/e1:9000": "https://10.0.0.1:9000"} == found(
        slice_of("a", pod("e1", "10.0.0.1"), ports=TWO), wanted=wanted
    )


def test_the_only_port_needs_no_name() -> None:
    assert E1 == found(slice_of("a", pod("e1", "10.0.0.1"), ports=((None, 8000),)))


def test_ports_of_other_protocols_do_not_count() -> None:
    said = slice_of("a", pod("e1", "10.0.0.1"))
    said.ports = [*said.ports, client.DiscoveryV1EndpointPort(name="dns", port=53, protocol="UDP")]
    assert E1 == found(said)


def test_another_clusters_pods_have_other_ids() -> None:
    assert ["east:6443/serving/e1:8000"] == list(found(V4, wanted=replace(WANTED, prefix="east:6443/")))


def test_only_the_first_address_counts() -> None:
    said = pod("e1", "10.0.0.1")
    said.addresses = ["10.0.0.1", "10.0.0.9"]
    assert E1 == found(slice_of("a", said))


@pytest.mark.parametrize(
    "ref",
    [
        None,
        client.V1ObjectReference(kind="Node", name="n"),
        client.V1ObjectReference(kind="Pod"),
        client.V1ObjectReference(kind="Pod", name="UPPER\n"),
        client.V1ObjectReference(kind="Pod", name="x" * 254),
        client.V1ObjectReference(kind="Pod", name="e1", namespace="a/b"),
    ],
)
def test_what_names_no_pod_has_its_address_for_an_id(ref: client.V1ObjectReference | None) -> None:
    said = client.V1Endpoint(addresses=["fd00::1"], target_ref=ref)
    assert {"[fd00::1]:8000": "http://[fd00::1]:8000"} == found(slice_of("a", said, family="IPv6"))


def test_a_pods_namespace_is_the_slices_if_it_is_not_said() -> None:
    said = client.V1Endpoint(
        addresses=["10.0.0.1"], target_ref=client.V1ObjectReference(kind="Pod", name="e1", uid="u")
    )
    assert E1 == found(slice_of("a", said))


def test_a_slice_without_endpoints_needs_no_port() -> None:
    assert {} == found(slice_of("a", ports=()))


def lying(**said: object) -> client.V1EndpointSlice:
    address = str(said.pop("address", "10.0.0.1"))
    return slice_of("a", pod("e1", address), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lying(service="other"), "another service's"),
        (lying(namespace="other"), "another service's"),
        (lying(family="FQDN", address="e1.example.org"), "addresses of type 'FQDN' are not supported"),
        (lying(ports=()), "one port was expected, there are: none; set discovery.port"),
        (lying(ports=TWO), "one port was expected, there are: 'http' (8000), 'metrics' (9000); set discovery.port"),
        (lying(ports=((None, None),)), "no usable port; there are: '' (None)"),
        (lying(ports=(("http", 0),)), "no usable port"),
        (lying(ports=(("http", 65_536),)), "no usable port"),
        (lying(address="e1.example.org"), "'e1.example.org' is no address"),
        (lying(address="10.0.0.1/8"), "is no address"),
        (lying(address="fd00::1"), "'fd00::1' is no IPv4 address"),
        (lying(address="169.254.169.254"), "cannot be a pod's address"),
        (lying(address="0.0.0.0"), "cannot be a pod's address"),
        (lying(address="224.0.0.1"), "cannot be a pod's address"),
        (lying(family="IPv6", address="fe80::1"), "cannot be a pod's address"),
        (lying(family="IPv6", address="fd00::1%eth0"), "cannot be a pod's address"),
        (lying(family="IPv6", address="::ffff:169.254.169.254"), "cannot be a pod's address"),
    ],
)
def test_a_slice_that_cannot_be_right_is_left_out_with_a_word(said: client.V1EndpointSlice, words: str) -> None:
    members = of(said, slice_of("b", pod("e2", "10.0.0.2")))
    assert ["serving/e2:8000"] == [each.id for each in members.endpoints]
    (complaint,) = members.complaints
    assert complaint.startswith("EndpointSlice 'a': ")
    assert words in complaint


def test_a_port_that_is_not_there_is_named() -> None:
    (complaint,) = of(lying(), wanted=replace(WANTED, port="grpc")).complaints
    assert "it has no usable port 'grpc'; there are: 'http' (8000)" in complaint


def test_of_a_slice_with_some_bad_endpoints_the_others_count() -> None:
    nothing = client.V1Endpoint(addresses=[])
    members = of(slice_of("a", nothing, pod("e2", "x"), pod("e1", "10.0.0.1")))
    assert ["serving/e1:8000"] == [each.id for each in members.endpoints]
    assert ("EndpointSlice 'a': '' is no address, and 1 more",) == members.complaints


def test_a_slice_without_labels_is_nobodys() -> None:
    said = lying()
    said.metadata.labels = None
    assert "another service's" in of(said).complaints[0]
    assert Wanted(SERVICE, NAMESPACE) == WANTED
