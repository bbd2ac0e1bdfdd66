"""The caller's body, with what is long kept aside."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.messages_api.parse import parse_messages
from router.protocol.messages_api.source import Source
from tests.router.protocol.messages_api.asking import LARGE_PNG, ask, body, image, user


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(ApiError) as refused:
        parse_messages(b"[" * 1_001, Limits(body_bytes=1_000))
    assert (413, "body_bytes") == (refused.value.status, refused.value.limit)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"data":"' + b"x" * 2_000, b'{"data":"', b'{"a":"\xff"}', b'{"a":1,"a":2}']
)
def test_what_is_no_body_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse_messages(raw, Limits())
    assert 400 == refused.value.status


def test_long_texts_under_the_keys_of_data_count_as_text() -> None:
    plain = {"type": "text", "media_type": "text/plain", "data": "x" * 2_000}
    with pytest.raises(ApiError) as refused:
        ask(user({"type": "document", "source": plain}), limits=Limits(text_bytes=1_500))
    assert (413, "text_bytes") == (refused.value.status, refused.value.limit)


def test_pictures_are_copied_once() -> None:
    source = Source(body(user(image(LARGE_PNG))), Limits())
    [piece] = [each for each in source.pieces(source.fields["messages"]) if isinstance(each, memoryview)]
    assert LARGE_PNG.encode() == piece


_KEYS = st.sampled_from(["data", "url", "a", 'x"data', "\\data", "type"])
_WORDS = st.sampled_from(
    ["", "cut:0", "cut:1", '"cut:0"', "x" * 1_100, "y\\" * 600, "data:image/png;base64,AA", "ü", '"data": "cut:0"']
)
_TREES = st.recursive(
    _WORDS | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3)
)


@given(st.dictionaries(_KEYS, _TREES, max_size=4), st.sampled_from([None, 0, 2]))
def test_whatever_is_kept_aside_comes_back(value: dict[str, Any], indent: int | None) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=bool(indent)).encode()
    source = Source(raw, Limits())
    assert value == {name: json.loads(b"".join(source.field(name))) for name in source.fields}
