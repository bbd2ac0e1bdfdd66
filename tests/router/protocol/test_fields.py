"""The table of request fields."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.body import split
from router.protocol.errors import ApiError
from router.protocol.fields import CHAT, COMPLETIONS
from router.protocol.forbidden import REFUSED
from router.protocol.limits import Limits
from router.protocol.read_fields import Fields, read_fields

LIMITS = Limits()


def read(fields: dict[str, Any] | bytes, limits: Limits = LIMITS, table: Any = CHAT) -> Fields:
    raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return read_fields(split(raw, limits), table, limits)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 9),
        ("temperature", -0.1),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -2),
        ("top_k", 1.5),
        ("min_p", 2),
        ("top_a", -1),
        ("frequency_penalty", 2.1),
        ("presence_penalty", -2.1),
        ("repetition_penalty", 0),
        ("repetition_penalty", 2.5),
        ("seed", 2**63),
        ("seed", 10**30),
        ("max_tokens", 0),
        ("max_completion_tokens", "many"),
        ("n", 0),
        ("n", 9),
        ("stream", "yes"),
        ("stop", 5),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("stop", ""),
        ("stop", "x" * 1_025),
        ("logit_bias", {"1": 101}),
        ("logit_bias", {"one": 1}),
        ("logit_bias", {str(i): 0 for i in range(301)}),
        ("logprobs", 1),
        ("top_logprobs", 21),
        ("top_logprobs", 5),  # without logprobs
        ("min_tokens", -1),
        ("stop_token_ids", [-1]),
        ("stop_token_ids", [1] * 65),
        ("bad_words", ["x"] * 65),
        ("bad_words", ["x" * 257]),
        ("user", "x" * 257),
        ("user", "a\r\nset-cookie: b"),
        ("user", "nul \0"),
        ("session_id", "line\u2028separator"),
        ("model", "author/slug\x1b[2J"),
        ("models", ["author/slug", "a\nb"]),
        ("metadata", {"key\n": "value"}),
        ("metadata", {"key": "nul \0"}),
        ("trace", {"deep": ["nul \0"]}),
        ("safety_identifier", "\x85"),
        ("provider", {"order": ["x" * 70_000]}),
        ("bad_words", [1]),
        ("model", 7),
        ("model", "x" * 257),
        ("models", "one"),
        ("models", ["m"] * 17),
        ("user", {}),
        ("session_id", "x" * 257),
        ("metadata", {"a": 1}),
        ("metadata", {"k" * 65: "v"}),
        ("metadata", {str(i): "" for i in range(17)}),
        ("response_format", "json"),
        ("structured_outputs", {"regex": "(a+)+"}),
        ("provider", []),
        ("plugins", {}),
        ("parallel_tool_calls", "no"),
    ],
)
def test_a_value_of_the_wrong_type_or_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ApiError) as caught:
        read({field: value})
    assert (400, field) == (caught.value.status, caught.value.field)
    assert caught.value.message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "field", [*sorted(REFUSED), "guided_json", "guided_regex", "mm_processor_kwargs", "vllm_xargs"]
)
def test_what_reaches_into_the_engine_is_refused_by_name(field: str) -> None:
    with pytest.raises(ApiError, match=f"{field}: this field is not accepted") as caught:
        read({field: None})
    assert (400, field) == (caught.value.status, caught.value.field)


def test_numbers_that_are_no_numbers_are_refused() -> None:
    for raw in (b'{"temperature":1e999}', b'{"temperature":%b}' % (b"9" * 100_000), b'{"seed":%b}' % (b"9" * 100_000)):
        with pytest.raises(ApiError, match="out of range"):
            read(raw)


def test_parameters_within_range_reach_the_engine_as_the_callers_own_bytes() -> None:
    raw = b'{"temperature" : 0.10 ,"top_k":0,"seed":-1,"stop":["a"],"logit_bias":{"5":-100},"logprobs":true}'
    assert {
        "temperature": b"0.10",
        "top_k": b"0",
        "seed": b"-1",
        "stop": b'["a"]',
        "logit_bias": b'{"5":-100}',
        "logprobs": b"true",
    } == {name: bytes(value) for name, value in read(raw).forwarded.items()}


def test_null_counts_as_absent() -> None:
    fields = read({"temperature": None, "stop": None, "provider": None, "messages": None, "unknown": None})
    assert ({}, {}, ["unknown"]) == (fields.values, fields.kept, list(fields.forwarded))


def test_unknown_fields_pass_untouched_up_to_a_bound() -> None:
    assert b'{"a": [1]}' == bytes(read({"safe_prompt": {"a": [1]}}).forwarded["safe_prompt"])
    with pytest.raises(ApiError, match="big: this field may have at most 10 bytes, this has 13"):
        read({"big": "x" * 11}, Limits(unknown_bytes=10))


def test_line_breaks_in_values_of_metadata_and_a_backslash_before_u0000_are_ordinary_text() -> None:
    assert {"a": "b\nc"} == read({"metadata": {"a": "b\nc"}}).values["metadata"]
    assert {"a": "\\u0000"} == read({"metadata": {"a": "\\u0000"}}).values["metadata"]


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("n", {"n": 2}, {"n": 3}),
        ("top_logprobs", {"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 3}),
        ("logit_bias", {"logit_bias": {"1": 1, "2": 2}}, {"logit_bias": {"1": 1, "2": 2, "3": 3}}),
        ("fallback_models", {"models": ["a", "b"]}, {"models": ["a", "b", "c"]}),
        ("metadata", {"metadata": {"1": "", "2": ""}}, {"metadata": {"1": "", "2": "", "3": ""}}),
        ("stop_token_ids", {"stop_token_ids": [1, 2]}, {"stop_token_ids": [1, 2, 3]}),
        ("bad_words", {"bad_words": ["a", "b"]}, {"bad_words": ["a", "b", "c"]}),
        ("bad_word_chars", {"bad_words": ["éé"]}, {"bad_words": ["ééé"]}),
        ("stop", {"stop": ["a", "b"]}, {"stop": ["a", "b", "c"]}),
        ("stop_chars", {"stop": "éé"}, {"stop": "ééé"}),
        ("identifier_chars", {"user": "éé"}, {"user": "ééé"}),
        ("unknown_bytes", {"whatever": 12}, {"whatever": 123}),
        ("unknown_bytes", {"trace": {}}, {"trace": {"": 1}}),
    ],
)
def test_every_bound_is_inclusive_and_named_in_what_it_refuses(limit: str, least: Any, most: Any) -> None:
    limits = Limits(**{limit: 2})
    read(least, limits)
    with pytest.raises(ApiError) as caught:
        read(most, limits)
    assert limit == caught.value.limit


def test_what_only_the_router_understands_stays_with_it() -> None:
    fields = read({"provider": {"only": ["x"]}, "user": "u", "top_a": 0.5, "reasoning": {"effort": "high"}})
    assert ({}, {"provider", "user", "top_a", "reasoning"}) == (fields.forwarded, set(fields.kept))


def test_completions_have_logprobs_of_their_own_and_may_echo() -> None:
    fields = read({"logprobs": 5, "echo": True}, table=COMPLETIONS)
    assert {"logprobs": 5, "echo": True} == fields.values
    with pytest.raises(ApiError, match="logprobs: at most 20, got 21"):
        read({"logprobs": 21}, table=COMPLETIONS)
    with pytest.raises(ApiError, match="echo"):
        read({"echo": True})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(CHAT)), value=JSON)
def test_no_value_of_any_field_raises_anything_but_an_api_error(name: str, value: object) -> None:
    field: str | None = name
    try:
        assert set(read({name: value}).values) <= {name}
    except ApiError as error:
        field = error.field
    assert name == field
