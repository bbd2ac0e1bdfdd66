from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.front.refusal import Refusal, Refused
from router.front.target import decode, path_of


def refusal(path: bytes) -> Refusal | None:
    try:
        decode(path)
    except Refused as refused:
        return refused.refusal
    return None


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/", "/"),
        (b"/v1/models", "/v1/models"),
        (b"/v1/models/", "/v1/models/"),
        (b"/v1/models/author/name:free", "/v1/models/author/name:free"),
        (b"/v1/mod%65ls", "/v1/models"),
        (b"/v1/%C3%A9", "/v1/é"),
        (b"/v1/models/author%2Fname", "/v1/models/author%2Fname"),
        (b"/v1/models/author%2fname", "/v1/models/author%2Fname"),
        (b"/v1/%252e%252e", "/v1/%2e%2e"),
        (b"/v1/.hidden", "/v1/.hidden"),
        (b"/v1/...", "/v1/..."),
        (b"/a%20b", "/a b"),
    ],
)
def test_a_path_has_one_reading(raw: bytes, path: str) -> None:
    assert path == decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"//",
        b"//v1",
        b"/v1//models",
        b"/.",
        b"/..",
        b"/v1/../x",
        b"/%2e%2e/x",
        b"/.%2E/x",
        b"/a%2f..%2fb",
        b"/%2e%2f",
        b"/\\",
        b"/%5c",
        b"/%00",
        b"/%0d%0a",
        b"/%7f",
        b"/%c2%85",
        b"/%",
        b"/%2",
        b"/%zz",
        b"/%ff",
        b"/%c0%ae%c0%ae/",
        b'/"',
        b"/<x>",
        b"/{x}",
    ],
)
def test_a_path_that_could_be_read_in_another_way_is_refused(raw: bytes) -> None:
    assert Refusal.BAD_PATH is refusal(raw)


def test_a_path_ends_at_its_query_and_is_not_too_long() -> None:
    assert b"/v1" == path_of(b"/v1?a=/../b", 3)
    with pytest.raises(Refused) as caught:
        path_of(b"/v12?", 3)
    assert Refusal.PATH_TOO_LONG is caught.value.refusal
    with pytest.raises(Refused):
        path_of(b"/v1#x", 9)


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=1), min_size=1))
def test_whatever_is_escaped_comes_back(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    assert path == decode(quote(path).encode())


@given(st.binary(max_size=40))
def test_no_path_leads_to_dot_segments_controls_or_new_slashes(tail: bytes) -> None:
    raw = b"/" + tail
    try:
        path = decode(raw)
    except Refused:
        return
    assert raw.count(b"/") == path.count("/")
    assert not {".", ".."} & set(path.replace("%2F", "/").split("/"))
    assert not any(ord(character) < 32 or ord(character) == 127 for character in path)
