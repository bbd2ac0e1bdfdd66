"""The `provider` object."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.preferences import NO_PREFERENCES, Cutoffs, MaxPrice, Preferences, Sort
from router.protocol.errors import ApiError
from router.protocol.provider_preferences import PreferenceLimits, read_preferences


def told(**provider: Any) -> Preferences:
    return read_preferences(json.dumps(provider).encode())


def test_without_the_object_there_are_no_preferences() -> None:
    assert NO_PREFERENCES is read_preferences(None)
    assert NO_PREFERENCES == told()


NULLS = dict.fromkeys(
    "order allow_fallbacks require_parameters data_collection zdr enforce_distillable_text only ignore quantizations "
    "sort preferred_min_throughput preferred_max_latency max_price options".split()
)


def test_nulls_empty_lists_and_unknown_keys_count_as_absent() -> None:
    assert NO_PREFERENCES == told(**NULLS)
    assert NO_PREFERENCES == told(order=[], only=[], ignore=[], quantizations=[], options={}, experimental={"a": 1})
    assert NO_PREFERENCES == told(allow_fallbacks=True, require_parameters=False, data_collection="allow", zdr=False)


@pytest.mark.parametrize(
    ("provider", "preferences"),
    [
        ({"order": ["a", "b/c", "a"]}, Preferences(order=("a", "b/c"))),
        ({"only": ["Moonshot AI"], "ignore": ["x"]}, Preferences(only=("Moonshot AI",), ignore=("x",))),
        ({"allow_fallbacks": False}, Preferences(allow_fallbacks=False)),
        ({"require_parameters": True}, Preferences(require_parameters=True)),
        ({"data_collection": "deny"}, Preferences(denies_training=True)),
        ({"zdr": True, "enforce_distillable_text": True}, Preferences(zdr=True, distillable=True)),
        ({"quantizations": ["bf16", "fp8"]}, Preferences(quantizations=frozenset({"bf16", "fp8", "mxfp8"}))),
        ({"quantizations": ["fp4"]}, Preferences(quantizations=frozenset({"fp4", "mxfp4", "nvfp4"}))),
        ({"quantizations": ["nvfp4"]}, Preferences(quantizations=frozenset({"nvfp4"}))),
        ({"sort": "exacto"}, Preferences(sort=Sort.EXACTO)),
        ({"sort": {"by": "price"}}, Preferences(sort=Sort.PRICE)),
        ({"sort": {"by": "latency", "partition": "none"}}, Preferences(sort=Sort.LATENCY, is_across_models=True)),
        ({"sort": {"by": None, "partition": "model"}}, Preferences()),
        ({"preferred_min_throughput": 50}, Preferences(preferred_min_throughput=Cutoffs(p50=50.0))),
        (
            {"preferred_max_latency": {"p50": 1, "p90": 2.5, "p99": None}},
            Preferences(preferred_max_latency=Cutoffs(p50=1.0, p90=2.5)),
        ),
        (
            {"max_price": {"prompt": "0.5", "completion": 2, "request": "1e-3", "image": 1, "audio": "0"}},
            Preferences(max_price=MaxPrice(0.5, 2.0, 0.001)),
        ),
        ({"options": {"a": {"x": [1]}, "b/c": {}}}, Preferences()),
    ],
)
def test_every_preference_is_read(provider: dict[str, Any], preferences: Preferences) -> None:
    assert preferences == told(**provider)


@pytest.mark.parametrize(
    ("route", "raw", "is_across_models"),
    [
        (b'"sort"', None, True),
        (b'"sort"', b"{}", True),
        (b'"sort"', b'{"sort":{"partition":"model"}}', False),
        (b'"fallback"', b'{"sort":"price"}', False),
        (b'"fallback"', None, False),
        (b'"something"', None, False),
    ],
)
def test_route_is_the_old_way_to_say_how_models_are_sorted(
    route: bytes, raw: bytes | None, is_across_models: bool
) -> None:
    assert is_across_models == read_preferences(raw, route).is_across_models


@pytest.mark.parametrize(
    ("provider", "field"),
    [
        ([], "provider"),
        ({"order": "a"}, "provider.order"),
        ({"order": [1]}, "provider.order[0]"),
        ({"order": [""]}, "provider.order[0]"),
        ({"only": ["a", "b" * 129]}, "provider.only[1]"),
        ({"ignore": [str(number) for number in range(65)]}, "provider.ignore"),
        ({"allow_fallbacks": "no"}, "provider.allow_fallbacks"),
        ({"require_parameters": 1}, "provider.require_parameters"),
        ({"data_collection": "maybe"}, "provider.data_collection"),
        ({"zdr": "yes"}, "provider.zdr"),
        ({"enforce_distillable_text": 0}, "provider.enforce_distillable_text"),
        ({"quantizations": ["fp7"]}, "provider.quantizations[0]"),
        ({"sort": "cheap"}, "provider.sort"),
        ({"sort": {"by": "cheap"}}, "provider.sort.by"),
        ({"sort": {"partition": "all"}}, "provider.sort.partition"),
        ({"preferred_min_throughput": -1}, "provider.preferred_min_throughput"),
        ({"preferred_max_latency": {"p50": "1"}}, "provider.preferred_max_latency.p50"),
        ({"max_price": 1}, "provider.max_price"),
        ({"max_price": {"prompt": "cheap"}}, "provider.max_price.prompt"),
        ({"max_price": {"completion": -1}}, "provider.max_price.completion"),
        ({"max_price": {"image": "-1"}}, "provider.max_price.image"),
        ({"options": {"a": 1}}, "provider.options"),
        ({"options": {"": {}}}, "provider.options[0]"),
    ],
)
def test_what_is_wrong_is_refused_and_named(provider: Any, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_preferences(json.dumps(provider).encode())
    assert (400, field) == (refused.value.status, refused.value.field)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ApiError, match="provider"):
        read_preferences(b'{"order"')


def test_the_bounds_can_be_set() -> None:
    limits = PreferenceLimits(names=1, name_chars=3)
    assert ("abc",) == read_preferences(b'{"only":["abc"]}', limits=limits).only
    for raw in (b'{"only":["a","b"]}', b'{"only":["abcd"]}'):
        with pytest.raises(ApiError, match="only"):
            read_preferences(raw, limits=limits)


@pytest.mark.parametrize("field", ["names", "name_chars"])
def test_bounds_out_of_range_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        PreferenceLimits(**{field: 0})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NULLS, "by", "p50"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*NULLS]), JSON))
def test_whatever_comes_is_read_or_refused_by_name(provider: dict[str, Any]) -> None:
    field = "provider"
    try:
        read_preferences(json.dumps(provider).encode())
    except ApiError as error:
        field = error.field or ""
    assert field.startswith("provider")
