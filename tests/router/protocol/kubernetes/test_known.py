"""Whatever a watch does, the next list ends in the truth; and what is old brings nothing back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.kubernetes.known import KnownSlices, order_of
from router.protocol.kubernetes.members import members_of
from router.protocol.kubernetes.slices import Bookmark, Changed, EndpointSlice, KubernetesUnclear
from tests.kubernetes_server import leaving, pod, slice_of
from tests.router.protocol.kubernetes.said import WANTED, changed, read


def a(version: int | str, *pods: object) -> Changed:
    return changed(slice_of("a", *pods), version)  # type: ignore[arg-type]


def gone(version: int | str) -> Changed:
    return changed(slice_of("a"), version, "DELETED")


READY, LEAVING = pod("e", "10.0.0.1"), leaving("e", "10.0.0.1")


def known(*slices: EndpointSlice, version: int | str = 10, most: int = 100) -> KnownSlices:
    made = KnownSlices(most)
    made.replace(slices, str(version))
    return made


def versions(slices: KnownSlices) -> dict[str, str]:
    return {each.metadata.name: each.metadata.resource_version for each in slices.all()}


def test_a_list_takes_the_place_of_everything() -> None:
    slices = known(read(slice_of("a"), 5), read(slice_of("b"), 6))
    slices.replace([read(slice_of("b"), 9)], "12")
    assert ({"b": "9"}, "12") == (versions(slices), slices.version)


def test_a_change_is_taken_and_moves_where_a_watch_is_resumed() -> None:
    slices = known(read(slice_of("a"), 5))
    assert slices.tell(a(11))
    assert ({"a": "11"}, "11") == (versions(slices), slices.version)
    assert not slices.tell(Bookmark("15"))
    assert "15" == slices.version
    assert not slices.tell(Bookmark(""))
    assert "15" == slices.version
    assert slices.tell(gone(16))
    assert ({}, "16") == (versions(slices), slices.version)


def test_after_it_expired_what_is_known_stays() -> None:
    slices = known(read(slice_of("a"), 5))
    slices.expire()
    assert ({"a": "5"}, "") == (versions(slices), slices.version)


def test_an_older_word_does_not_bring_a_leaving_endpoint_back() -> None:
    slices = known(read(slice_of("a", READY), 5))
    slices.tell(a(12, LEAVING))
    assert not slices.tell(a(11, READY))
    assert () == members_of(slices.all(), WANTED).endpoints


def test_an_older_word_does_not_bring_a_deleted_slice_back() -> None:
    slices = known(read(slice_of("a", READY), 5))
    slices.tell(gone(12))
    assert not slices.tell(a(11, READY))
    assert not slices.tell(gone(11))
    assert not slices.tell(a(12, READY))
    assert {} == versions(slices)
    assert slices.tell(a(13, READY))


def test_what_a_list_did_not_have_is_not_believed_from_before_it() -> None:
    slices = known()
    assert not slices.tell(a(9))
    assert slices.tell(a(11))


def test_an_end_that_comes_before_what_it_ends_still_is_one() -> None:
    slices = known()
    assert not slices.tell(gone(12))
    assert not slices.tell(a(11))
    assert {} == versions(slices)


def test_an_end_with_the_version_that_the_slice_had_is_one() -> None:
    slices = known(read(slice_of("a"), 5))
    assert slices.tell(gone(5))


def test_an_end_of_an_earlier_slice_of_that_name_is_none() -> None:
    slices = known(read(slice_of("a"), 9))
    assert not slices.tell(gone(8))
    assert {"a": "9"} == versions(slices)


def test_versions_that_are_no_numbers_are_believed_as_they_come() -> None:
    slices = known(read(slice_of("a"), "x"), version="list")
    assert slices.tell(a("w"))
    assert slices.tell(a("7"))
    assert slices.tell(gone("x"))
    assert slices.tell(a("1"))
    assert slices.tell(a(""))
    assert "1" == slices.version


def test_a_number_is_only_what_an_api_server_writes() -> None:
    assert [7, 18_446_744_073_709_551_615] == [order_of("7"), order_of("18446744073709551615")]
    assert [None] * 6 == [order_of(each) for each in ("", "x", "-1", "1.0", "٣", "1" * 21)]


def test_more_slices_than_may_be_are_refused() -> None:
    slices = known(read(slice_of("a"), 5), most=1)
    assert slices.tell(a(11))
    with pytest.raises(KubernetesUnclear, match="more than 1 EndpointSlices"):
        slices.tell(changed(slice_of("b"), 12))


def test_ends_are_remembered_up_to_a_number() -> None:
    slices = known(most=2)
    for version, name in enumerate("abcd", 11):
        slices.tell(changed(slice_of(name), version, "DELETED"))
    slices.tell(changed(slice_of("c"), 20, "DELETED"))
    slices.tell(changed(slice_of("e"), 21, "DELETED"))
    assert slices.tell(changed(slice_of("d"), 14))  # forgotten
    assert not slices.tell(changed(slice_of("c"), 20))


PODS = [pod(f"e{n}", f"10.0.0.{n}") for n in range(4)] + [leaving(f"e{n}", f"10.0.0.{n}") for n in range(4)]
CONTENT = st.one_of(st.none(), st.lists(st.sampled_from(PODS), max_size=3))
HISTORY = st.lists(st.tuples(st.sampled_from("abc"), CONTENT), max_size=12)


def story(history: list[tuple[str, list[object] | None]]) -> tuple[list[Changed], dict[str, EndpointSlice]]:
    """What an honest watch from version 10 tells, and what is true at its end."""
    told: list[Changed] = []
    truth: dict[str, EndpointSlice] = {}
    for version, (name, content) in enumerate(history, 11):
        if content is None:
            if name in truth:
                del truth[name]
                told.append(changed(slice_of(name), version, "DELETED"))
        else:
            told.append(changed(slice_of(name, *content), version))  # type: ignore[arg-type]
            truth[name] = told[-1].slice
    return told, truth


@given(HISTORY, st.data())
def test_any_order_doubling_and_loss_followed_by_a_list_ends_in_the_truth(
    history: list[tuple[str, list[object] | None]], data: st.DataObject
) -> None:
    told, truth = story(history)
    slices = known()
    for event in data.draw(st.lists(st.sampled_from(told), max_size=30)) if told else ():
        slices.tell(event)
    slices.replace(truth.values(), str(10 + len(history)))
    assert members_of(truth.values(), WANTED) == members_of(slices.all(), WANTED)


@given(HISTORY, st.data())
def test_any_order_and_doubling_ends_in_the_truth_without_a_list_if_nothing_was_lost(
    history: list[tuple[str, list[object] | None]], data: st.DataObject
) -> None:
    told, truth = story(history)
    doubled = told + (data.draw(st.lists(st.sampled_from(told), max_size=10)) if told else [])
    slices = known()
    for event in data.draw(st.permutations(doubled)):
        slices.tell(event)
    assert truth == {each.metadata.name: each for each in slices.all()}
