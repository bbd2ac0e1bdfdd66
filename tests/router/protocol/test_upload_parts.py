"""Forms, lines, kinds of files, and how files are shown."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.file_object import Shape, Shown, deleted_object, file_object, list_object, shape_of
from router.protocol.file_type import type_of
from router.protocol.lines import Lines, LineTooLong
from router.protocol.multipart import Event, Form, FormEnded, PartBegan, PartData

KIND = b"multipart/form-data; boundary=xyz"
PURPOSE = b'--xyz\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
FILE = (
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="\xc3\xa9.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nline\r\n\r\n--xy\r\n"
)
WHOLE = PURPOSE + FILE + b"--xyz--\r\n"


def joined(events: list[Event]) -> list[Event]:
    """Data of one part in one piece."""
    told: list[Event] = []
    for event in events:
        if isinstance(event, PartData) and told and isinstance(told[-1], PartData):
            told[-1] = PartData(told[-1].data + event.data)
        else:
            told.append(event)
    return told


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_a_form_is_the_same_however_its_bytes_are_cut(cuts: list[int]) -> None:
    form, events = Form(KIND), []
    places = [0, *sorted(cuts), len(WHOLE)]
    for start, end in pairwise(places):
        events += form.feed(WHOLE[start:end])
    form.end()
    assert [
        PartBegan("purpose", None),
        PartData(b"batch"),
        PartBegan("file", "é.txt"),
        PartData(b"line\r\n\r\n--xy"),
        FormEnded(),
    ] == joined(events)


def never_ends() -> None:
    form = Form(KIND)
    form.feed(PURPOSE)
    form.end()


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda: Form(b""), "must be multipart"),
        (lambda: Form(b"application/json"), "must be multipart"),
        (lambda: Form(b"multipart/form-data"), "must be multipart"),
        (lambda: Form(b"multipart/form-data; boundary=" + b"x" * 500), "too long"),
        (lambda: Form(KIND).feed(b"no boundary"), "well-formed"),
        (lambda: Form(KIND).feed(PURPOSE * 33), "more than 32 parts"),
        (lambda: Form(KIND).feed(b"--xyz\r\nA: " + b"b" * 9_000), "well-formed"),
        (lambda: Form(KIND).feed(b"--xyz\r\n" + b"A: b\r\n" * 20), "well-formed"),
        (lambda: Form(KIND).feed(b"--xyz\r\nA: b\r\n\r\n"), "without a name"),
        (lambda: Form(KIND).feed(b"--xyz\r\nContent-Disposition: attachment\r\n\r\n"), "without a name"),
        (never_ends, "ends before"),
    ],
)
def test_what_is_no_form_is_told(act: Callable[[], Any], problem: str) -> None:
    with pytest.raises(ApiError, match=problem):
        act()


@given(st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\r\n", b"\n\n", b""])))
def test_lines_are_the_same_however_they_are_cut(pieces: list[bytes]) -> None:
    lines = Lines(100)
    told = [line for piece in pieces for line in lines.feed(piece)] + list(lines.end())
    whole = b"".join(pieces)
    expected = [line.removesuffix(b"\r") for line in whole.split(b"\n")]
    assert (expected if expected[-1] or not whole else expected[:-1]) == told or (not whole and told == [])


def test_a_line_that_is_too_long_is_not_held() -> None:
    lines = Lines(3)
    assert [b"abc"] == list(lines.feed(b"abc\nab"))
    with pytest.raises(LineTooLong):
        list(lines.feed(b"cd"))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"RIFF\0\0\0\0????", "application/octet-stream"),
        (b'{"a":1}\n{"b":2}', "application/x-ndjson"),
        (b'{"a":1}', "application/json"),
        (b" [1]", "application/json"),
        (b"hello", "text/plain"),
        (b"", "text/plain"),
        (b"\xff\xfe\xfd\xfc\xfa", "application/octet-stream"),
    ],
)
def test_what_a_file_is_its_bytes_say(head: bytes, kind: str) -> None:
    assert kind == type_of(head, is_all=True)


def test_a_character_that_is_cut_through_is_text_unless_the_file_ends_so() -> None:
    cut = "e€".encode()[:-1]
    assert "text/plain" == type_of(cut, is_all=False)
    assert "application/octet-stream" == type_of(cut, is_all=True)


@pytest.mark.parametrize(
    ("path", "agent", "has_version", "shape"),
    [
        ("/api/v1/files", b"curl/8", False, Shape.OPENROUTER),
        ("/v1/files", b"curl/8", False, Shape.OPENAI),
        ("/api/v1/files", b"OpenAI/Python 3.54.0", False, Shape.OPENAI),
        ("/api/v1/files", b"AsyncOpenAI/Python 3.54.0", False, Shape.OPENAI),
        ("/v1/files", b"Anthropic/Python", True, Shape.ANTHROPIC),
    ],
)
def test_whose_words_a_client_speaks(path: str, agent: bytes, has_version: bool, shape: Shape) -> None:
    assert shape is shape_of(path, agent, has_anthropic_version=has_version)


def test_files_are_shown_in_three_vocabularies() -> None:
    file = Shown("file-1", "a.txt", "text/plain", "batch", 5, 1_735_689_600.5)
    plain = {
        "_shape": "openrouter",
        "id": "file-1",
        "type": "file",
        "filename": "a.txt",
        "mime_type": "text/plain",
        "size_bytes": 5,
        "created_at": "2025-01-01T00:00:00Z",
        "downloadable": True,
    }
    assert plain == file_object(file, Shape.OPENROUTER)
    assert plain | {"_shape": "anthropic"} == file_object(file, Shape.ANTHROPIC)
    openai = file_object(file, Shape.OPENAI)
    assert ("file", 5, 1_735_689_600, "batch", None) == tuple(
        openai[name] for name in ("object", "bytes", "created_at", "purpose", "expires_at")
    )
    expiring = Shown("file-1", "a.txt", "text/plain", "batch", 5, 1.0, 2.5)
    assert 2 == file_object(expiring, Shape.OPENAI)["expires_at"]
    assert {"_shape": "openai", "id": "f", "object": "file", "deleted": True} == deleted_object("f", Shape.OPENAI)
    assert {"_shape": "anthropic", "id": "f", "type": "file_deleted"} == deleted_object("f", Shape.ANTHROPIC)
    page = list_object([file], Shape.OPENROUTER, has_more=True)
    assert ("file-1", "file-1", True, "file-1") == (
        page["first_id"],
        page["last_id"],
        page["has_more"],
        page["cursor"],
    )
    assert list_object([file], Shape.OPENROUTER, has_more=False)["cursor"] is None
    assert (None, "list") == (
        list_object([], Shape.OPENAI, has_more=False)["first_id"],
        list_object([], Shape.OPENAI, has_more=False)["object"],
    )
    assert "cursor" not in list_object([], Shape.ANTHROPIC, has_more=False)
