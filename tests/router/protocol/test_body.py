"""From a request's bytes to its top-level fields."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.body import split
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from tests.effort import cpu_s

LIMITS = Limits()
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
IMAGES = st.sampled_from(
    ["data:image/png;base64,AAAA", "data:image/#0", "data:image/", 'data:image/"x', "data:image/\\"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS | IMAGES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | IMAGES, inner, max_size=3),
    max_leaves=10,
)


@given(fields=st.dictionaries(KEYS, VALUES, max_size=6), ascii_only=st.booleans())
def test_every_field_comes_back_as_it_was_with_its_images_in_place(fields: dict[str, object], ascii_only: bool) -> None:
    body = split(json.dumps(fields, ensure_ascii=ascii_only).encode(), LIMITS)
    restored = {name: json.loads(b"".join(body.restore(bytes(raw)))) for name, raw in body.fields.items()}
    assert fields == restored


def test_an_image_is_cut_out_and_not_copied() -> None:
    raw = b'{"a":"x","image":"data:image/png;base64,' + b"A" * 4_000 + b'"}'
    body = split(raw, LIMITS)
    assert b'"data:image\\/#0"' == bytes(body.fields["image"])
    (image,) = body.images
    assert raw is image.obj
    assert image == body.image(bytes(body.fields["image"]))
    assert body.image(b'"x"') is None


def test_an_image_that_is_added_has_a_placeholder_of_its_own() -> None:
    body = split(b'{"a":"data:image/png;base64,AAAA"}', LIMITS)
    assert (b'"data:image\\/#1"', b'"data:image\\/#2"') == (body.add(b'"data:image/gif;x"'), body.add(b'"y"'))
    assert b'["y","data:image/gif;x","data:image/png;base64,AAAA"]' == b"".join(
        body.restore(b'["data:image\\/#2","data:image\\/#1","data:image\\/#0"]')
    )


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "not a JSON object"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b'{"a":1', "not a JSON object"),
        (b"{} {}", "trailing characters"),
        (b'{"a":NaN}', "not a JSON object"),
        (b'{"a":Infinity}', "not a JSON object"),
        (b'{"a":"\xff"}', "byte 6 is not valid UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "byte 6 is not valid UTF-8"),
        (rb'{"a":"\ud800"}', "not a JSON object"),
        (rb'{"a":"\udc00"}', "not a JSON object"),
        (rb'{"a":"\x"}', "not a JSON object"),
        (b'{"a":"\x01"}', "not a JSON object"),
        (b'{"a":1,"b":2,"a":3}', "the key 'a' is given twice"),
        (b'{"a":"data:image/png', "not a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes, problem: str) -> None:
    with pytest.raises(ApiError, match=problem) as caught:
        split(raw, LIMITS)
    assert 400 == caught.value.status


def test_deep_nesting_within_a_generous_bound_still_ends_in_a_400() -> None:
    depth = sys.getrecursionlimit() * 20
    raw = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(ApiError, match="recursion") as caught:
        split(raw, Limits(json_depth=10 * depth))
    assert 400 == caught.value.status


def test_a_key_that_is_given_twice_among_very_many_is_found_at_once_and_shown_in_short() -> None:
    raw = b"{" + b"".join(b'"%d":0,' % key for key in range(90_000)) + b'"%b":0,"%b":0}' % (b"z" * 99, b"z" * 99)

    def read() -> None:
        with pytest.raises(ApiError, match=f"the key '{'z' * 64}' is given twice"):
            split(raw, LIMITS)

    assert cpu_s(read) < 10  # it was 88


def test_a_body_over_the_limit_is_413_and_too_many_fields_400() -> None:
    with pytest.raises(ApiError, match="larger than 10 bytes") as caught:
        split(b'{"a":"0123456789"}', Limits(body_bytes=10))
    assert 413 == caught.value.status
    with pytest.raises(ApiError, match="more than 2 fields"):
        split(b'{"a":1,"b":1,"c":1}', Limits(fields=2))


@given(raw=st.binary() | st.binary().map(lambda tail: b'{"a":' + tail))
def test_no_bytes_raise_anything_but_an_api_error(raw: bytes) -> None:
    status = 400
    try:
        split(raw, LIMITS)
    except ApiError as error:
        status = error.status
    assert 400 == status


def test_documents_are_cut_out_like_images_and_nothing_else_is() -> None:
    pdf, other = "data:application/pdf;base64,JVBE", "data:application/pdfx"
    body = split(json.dumps({"a": pdf, "b": "data:image/png;base64,x", "c": other, "d": "data:"}).encode(), Limits())
    assert [f'"{pdf}"'.encode(), b'"data:image/png;base64,x"'] == [bytes(each) for each in body.images]
    assert [b'"data:image\\/#0"', b'"data:image\\/#1"'] == [bytes(body.fields[name]) for name in "ab"]
    assert [other, "data:"] == [json.loads(bytes(body.fields[name])) for name in "cd"]


@pytest.mark.parametrize("image", ['"data:image/png;base64,AAAA"', '"no image"'])
def test_nobody_writes_a_placeholder(image: str) -> None:
    body = split(b'{"a":%b,"text":"data:image\\/#0","inner":["\\"data:image\\/#0"]}' % image.encode(), Limits())
    body.add(b'"data:image/gif;x"')
    for name, said in (("text", "data:image/#0"), ("inner", ['"data:image/#0'])):
        assert said == json.loads(b"".join(body.restore(bytes(body.fields[name]))))
