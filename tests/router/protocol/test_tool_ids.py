"""Ids of tool calls, there and back."""

import re

from hypothesis import given
from hypothesis import strategies as st

from router.protocol.tool_ids import ToolIds

IDS = st.lists(st.text(max_size=40) | st.from_regex(r"\A[a-zA-Z0-9]{9}\Z"), max_size=30)


@given(client_ids=IDS)
def test_restoring_a_mapped_id_gives_the_callers_own(client_ids: list[str]) -> None:
    ids = ToolIds()
    mapped = [ids.to_engine(client_id) for client_id in client_ids]
    assert client_ids == [ids.restore(engine_id) for engine_id in mapped]


@given(client_ids=IDS)
def test_mapped_ids_please_mistral_and_never_meet(client_ids: list[str]) -> None:
    ids = ToolIds()
    mapped = {ids.to_engine(client_id) for client_id in client_ids}
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", engine_id) for engine_id in mapped)
    assert len(set(client_ids)) == len(mapped)


def test_an_id_that_fits_stays_and_others_map_the_same_way_every_time() -> None:
    assert "abcDEF123" == ToolIds().to_engine("abcDEF123")
    assert ToolIds().to_engine("call_abcdefghijklmnopqrstuvwx") == ToolIds().to_engine("call_abcdefghijklmnopqrstuvwx")


def test_an_id_that_another_one_maps_to_moves_on() -> None:
    ids = ToolIds()
    taken = ids.to_engine("call_1")
    moved = ids.to_engine(taken)
    assert moved != taken
    assert taken == ids.restore(moved)


def test_an_id_that_the_engine_made_passes() -> None:
    assert "xyzXYZ789" == ToolIds().restore("xyzXYZ789")
