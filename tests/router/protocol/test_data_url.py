"""Images within URLs."""

import base64
import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.data_url import parse


def url(data: bytes, head: bytes = b"data:image/png;base64,") -> memoryview:
    return memoryview(head + base64.b64encode(data))


@given(data=st.binary(min_size=1), offset=st.integers(0, 300), count=st.integers(0, 50))
def test_any_piece_can_be_read_without_decoding_the_rest(data: bytes, offset: int, count: int) -> None:
    image = parse(url(data))
    assert len(data) == image.size
    assert data[offset : offset + count] == image.read(offset, count)


def test_the_media_type_may_be_written_in_capitals_and_with_parameters() -> None:
    assert "image/jpeg" == parse(url(b"x", b"data:IMAGE/JPEG;name=a;base64,")).media_type


@pytest.mark.parametrize("media_type", ["image/svg+xml", "image/tiff", "application/pdf", ""])
def test_what_engines_cannot_read_is_refused_by_its_type(media_type: str) -> None:
    with pytest.raises(LookupError, match="not supported"):
        parse(url(b"x", f"data:{media_type};base64,".encode()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"data:image/png,abcd", "must be of the form"),
        (b"data:image/png;base64", "must be of the form"),
        (b"data:image/png;base64,", "empty"),
        (b"data:image/png;base64,abcde", "length is not a multiple of four"),
    ],
)
def test_a_broken_url_is_refused_with_a_reason(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse(memoryview(text))


@given(data=st.binary(min_size=1))
def test_an_image_has_the_digest_of_its_bytes(data: bytes) -> None:
    assert hashlib.sha256(data).digest() == parse(url(data)).sha256()


def test_the_digest_of_a_large_image_is_taken_piece_by_piece() -> None:
    data = bytes(range(256)) * 4_000
    image = parse(url(data))
    tracemalloc.start()
    try:
        assert hashlib.sha256(data).digest() == image.sha256()
        assert tracemalloc.get_traced_memory()[1] < 250_000
    finally:
        tracemalloc.stop()


PIECE = b"abcd" * 32_768


@pytest.mark.parametrize(
    "data",
    [
        b"ab!d",
        b"a===",
        b"====",
        b"ab=d",
        b"ab==abcd",
        b"ab-_",
        b"ab\nd",
        b"ab d",
        b"ab\xffd",
        PIECE + b"ab!d",
        PIECE[:-4] + b"ab==" + b"abcd",
        PIECE[:-4] + b"a!cd" + b"abcd",
    ],
)
def test_what_is_not_base64_has_no_digest(data: bytes) -> None:
    with pytest.raises(ValueError, match="not valid base64"):
        parse(memoryview(b"data:image/png;base64," + data)).sha256()


def test_what_is_not_base64_cannot_be_read() -> None:
    image = parse(memoryview(b"data:image/png;base64,abcd!bcd"))
    assert b"i\xb7\x1d" == image.read(0, 3)
    with pytest.raises(ValueError, match="not valid base64"):
        image.read(3, 3)
