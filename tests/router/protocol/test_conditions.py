"""What a request's own fields say of how it is to be served."""

import pytest

from router.policy.auto import AutoRouter
from router.policy.draft import UNCONDITIONAL, Conditions
from router.policy.key import Key
from router.policy.preferences import Preferences
from router.protocol.conditions import read_conditions
from router.protocol.errors import ApiError


def test_without_such_fields_there_are_no_conditions() -> None:
    assert UNCONDITIONAL == read_conditions({}, frozenset())


def test_all_conditions_come_together() -> None:
    key, auto = Key("k", "k"), AutoRouter(excluded=("a",))
    conditions = read_conditions(
        {"provider": b'{"zdr":true}', "route": b'"sort"'}, frozenset({"tools"}), key=key, auto=auto
    )
    preferences = Preferences(zdr=True, is_across_models=True)
    assert Conditions(key, preferences, frozenset({"tools"}), None, auto) == conditions


@pytest.mark.parametrize(
    ("fields", "header", "session"),
    [
        ({"session_id": b'"body"', "prompt_cache_key": b'"cache"'}, "header", "body"),
        ({"prompt_cache_key": b'"cache"'}, "header", "header"),
        ({"prompt_cache_key": b'"cache"'}, "", "cache"),
        ({"prompt_cache_key": b'"cache"'}, None, "cache"),
        ({"session_id": b'""'}, None, None),
        ({}, "", None),
    ],
)
def test_a_session_is_named_by_the_body_first(
    fields: dict[str, bytes], header: str | None, session: str | None
) -> None:
    assert session == read_conditions(fields, frozenset(), session=header).session


def test_a_wrong_preference_is_refused() -> None:
    with pytest.raises(ApiError, match=r"provider\.zdr"):
        read_conditions({"provider": b'{"zdr":1}'}, frozenset())
