"""What the API server writes is read; what it cannot have written is refused."""

import json

import pytest

from router.protocol.kubernetes.slices import (
    Bookmark,
    Changed,
    Conditions,
    Expired,
    KubernetesUnclear,
    TargetRef,
    read_event,
    read_page,
    reason_of,
)
from tests.kubernetes_server import EXPIRED, as_json, event, leaving, slice_of, status
from tests.router.protocol.kubernetes.said import line


def page(**said: object) -> bytes:
    return json.dumps({"metadata": {"resourceVersion": "7"}, "items": [], **said}).encode()


def test_a_slice_is_read_as_the_official_client_writes_it() -> None:
    ours = slice_of("engines-x", leaving("e1", "10.0.0.1"))
    found = read_event(line(ours, 12))
    assert isinstance(found, Changed)
    (endpoint,) = found.slice.endpoints or ()
    assert ("engines-x", "12", "IPv4") == (
        found.slice.metadata.name,
        found.slice.metadata.resource_version,
        found.slice.address_type,
    )
    assert (("10.0.0.1",), Conditions(ready=False, serving=True, terminating=True)) == (
        endpoint.addresses,
        endpoint.conditions,
    )
    assert TargetRef("Pod", "e1", "serving", "uid-of-e1") == endpoint.target_ref


@pytest.mark.parametrize(("kind", "is_gone"), [("ADDED", False), ("MODIFIED", False), ("DELETED", True)])
def test_a_change_says_whether_the_slice_is_gone(kind: str, is_gone: bool) -> None:
    found = read_event(line(slice_of("a"), 1, kind))
    assert isinstance(found, Changed)
    assert is_gone is found.is_gone


def test_a_bookmark_is_a_version() -> None:
    assert Bookmark("9") == read_event(event("BOOKMARK", {"metadata": {"resourceVersion": "9"}}))


def test_a_page_tells_of_the_next_one() -> None:
    found = read_page(page(metadata={"resourceVersion": "7", "continue": "abc"}, items=[as_json(slice_of("a"))]))
    assert ("7", "abc", ["a"]) == (found.version, found.following, [each.metadata.name for each in found.slices])


def test_gos_null_for_an_empty_list_is_read() -> None:
    assert () == read_page(page(items=None)).slices
    bare = {"metadata": {"name": "a", "labels": None}, "addressType": "IPv4", "endpoints": None, "ports": None}
    (found,) = read_page(page(items=[bare])).slices
    assert (None, None) == (found.endpoints, found.ports)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"\xff{",
        b"[" * 100_000,
        page(metadata={}),
        page(metadata={"resourceVersion": ""}),
        page(items=[{}]),
        page(items=[{"metadata": {"name": "a"}}]),
        page(items=[{"metadata": {"name": "a"}, "addressType": "IPv4", "endpoints": [{"addresses": "10.0.0.1"}]}]),
        EXPIRED,
    ],
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(KubernetesUnclear, match="no list of EndpointSlices"):
        read_page(body)


@pytest.mark.parametrize(
    "said",
    [
        b"x",
        b"{}",
        b'{"type":"ADDED"}',
        b'{"type":"ADDED","object":{}}',
        b'{"type":"DELETED","object":[]}',
        b'{"type":"BOOKMARK","object":{}}',
        b'{"type":"ERROR","object":7}',
        b'{"type":"ADDED","object":' + b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_event_is_refused(said: bytes) -> None:
    with pytest.raises(KubernetesUnclear, match="told of no EndpointSlice"):
        read_event(said)


def test_a_kind_of_event_that_is_not_known_is_refused() -> None:
    with pytest.raises(KubernetesUnclear, match="unknown: 'MOVED'"):
        read_event(event("MOVED", {}))


@pytest.mark.parametrize("said", [{"code": 410}, {"code": 410, "reason": "Gone"}, {"reason": "Expired"}])
def test_a_forgotten_past_is_told_from_other_errors(said: object) -> None:
    with pytest.raises(Expired):
        read_event(event("ERROR", said))


def test_an_error_is_told_with_its_reason() -> None:
    with pytest.raises(KubernetesUnclear, match=r"InternalError \(500\): 'etcd is away'"):
        read_event(event("ERROR", json.loads(status(500, "InternalError", "etcd is away"))))
    with pytest.raises(KubernetesUnclear, match=r"None \(None\): ''"):
        read_event(event("ERROR", {}))


def test_what_a_refusal_says_is_quoted_and_cut() -> None:
    assert "'no'" == reason_of(status(403, "Forbidden", "no"))
    assert 302 == len(reason_of(status(403, "Forbidden", "x" * 1_000)))
    assert ("", "", "") == (reason_of(b"<html>"), reason_of(b"{}"), reason_of(b'{"message":""}'))


def test_how_long_to_wait_goes_with_it() -> None:
    assert (0.0, 3.0) == (KubernetesUnclear("a").retry_after_s, KubernetesUnclear("a", 3.0).retry_after_s)
