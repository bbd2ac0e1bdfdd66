"""Documents in messages."""

import base64
import hashlib
import json
from typing import Any

import pytest

from router.protocol.body import split
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.protocol.plugins.file_content import image_part, parsed_file, text_part
from router.protocol.read_messages import Messages, read_messages
from tests.router.protocol import pictures
from tests.router.protocol.conversations import assistant, image, text, user

PDF = b"%PDF-1.7 whatever"
HASH = hashlib.sha256(PDF).hexdigest()
FIELD = "messages[0].content[0].file"
URL = "https://example.com/a.pdf"
LIMITS = Limits()


def file(data: bytes | str = PDF, media_type: str = "application/pdf", **more: Any) -> dict[str, Any]:
    encoded = data if isinstance(data, str) else f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return {"type": "file", "file": {"filename": "a.pdf", "file_data": encoded, **more}}


def annotation(*content: Any, digest: str = HASH, **more: Any) -> dict[str, Any]:
    return {"type": "file", "file": {"hash": digest, "name": "a.pdf", "content": list(content), **more}}


def read(
    messages: Any, got: dict[str, bytes] | None = None, limits: Limits = LIMITS, **fields: Any
) -> tuple[Messages, Any]:
    """What is known of the conversation, and the array for the engine."""
    body = split(json.dumps({"messages": messages, **fields}).encode(), limits)
    read_ = read_messages(body.fields["messages"], body, limits, fetched=got or {})
    read_.media.check_fetched()
    return read_, json.loads(b"".join(body.restore(read_.raw)))


def missing(messages: Any, **named: Any) -> Unfetched:
    with pytest.raises(Unfetched) as caught:
        read(messages, **named)
    return caught.value


def refused(messages: Any, **named: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(messages, **named)
    return caught.value


def around(*parts: Any, name: str = "a.pdf") -> list[Any]:
    return [text(f'<file name="{name}">'), *parts, text("</file>")]


def parsed(*parts: bytes, digest: str = HASH) -> bytes:
    return parsed_file(digest, "a.pdf", parts)


def test_a_text_file_becomes_text_at_once() -> None:
    for media_type in ("text/plain", "text/markdown", "text/csv", "application/json"):
        data = "\ufeffa;é\n".encode()
        read_, written = read([user([text("look"), file(data, media_type, filename='a"<\n>.csv')])])
        assert [user([text("look"), *around(text("a;é\n"), name="a    .csv")])] == written
        assert [] == read_.media.files.annotations
        assert {"text"} == read_.media.kinds


def test_what_a_document_says_stands_for_no_image() -> None:
    forged = "data:image/#0"
    got = {f"file:{HASH}": parsed(text_part(forged), text_part("data:image\\/#7"))}
    _, written = read([user([file(forged.encode(), "text/plain"), file(), image()])], got)
    assert [forged, forged, "data:image\\/#7"] == [written[0]["content"][index]["text"] for index in (1, 4, 5)]


def test_a_pdf_has_to_be_read_first() -> None:
    raised = missing([user([file(), file()])], limits=Limits(body_bytes=10_000))
    (asked,) = raised.files
    assert (f"file:{HASH}", FIELD, "a.pdf", HASH, "") == (asked.key, asked.field, asked.name, asked.digest, asked.url)
    assert asked.document is not None
    assert PDF == asked.document.decoded()
    assert "0 images to be fetched, 1 files to be read" == str(raised)


def test_a_pdf_behind_a_url_has_to_be_fetched_first() -> None:
    raised = missing([user([file(URL, filename=None), image()])])
    (asked,) = raised.files
    assert (f"file:{URL}", "document", None, "", URL) == (
        asked.key, asked.name, asked.document, asked.digest, asked.url
    )  # fmt: skip


def test_what_was_read_stands_in_its_place_and_is_given_back_as_an_annotation() -> None:
    picture = image_part(pictures.data_url(pictures.png(512, 512)))
    got = {f"file:{HASH}": parsed(text_part("é"), picture)}
    read_, written = read([user([file(), text("?")]), user([file()])], got)
    digest = hashlib.sha256(pictures.png(512, 512)).hexdigest()
    inside = around(text("é"), {**image(), "uuid": digest})
    assert [user([*inside, text("?")]), user(inside)] == written
    assert (2, 760, {"text", "image"}) == (read_.media.images, read_.media.tokens, read_.media.kinds)
    assert [annotation(*around(text("é"), image()))] == [json.loads(each) for each in read_.media.files.annotations]


@pytest.mark.parametrize("is_url", [False, True])
def test_an_annotation_that_comes_back_spares_the_reading(is_url: bool) -> None:
    messages = [
        user([file(URL) if is_url else file(), file()]),
        {**assistant("a"), "annotations": [{"type": "url_citation"}, annotation(text("known"), image())]},
        user("and?"),
    ]
    got = {f"file:{URL}": parsed(text_part("read again"))} if is_url else {}
    read_, written = read(messages, got)
    digest = hashlib.sha256(pictures.png(512, 512)).hexdigest()
    inside = [text("known"), {**image(), "uuid": digest}]
    assert [user([*inside, *inside]), assistant("a"), user("and?")] == written
    assert [] == read_.media.files.annotations
    assert 2 == read_.media.images


@pytest.mark.parametrize(
    "annotations",
    [
        1,
        [1],
        [{}],
        [{"type": "file", "file": None}],
        [annotation()],
        [annotation(1)],
        [annotation({"type": "text"})],
        [annotation({"type": "text", "text": 1})],
        [annotation({"type": "other", "text": "x"})],
        [annotation({"type": 1, "text": "x"})],
        [annotation({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})],
        [annotation({"type": "image_url", "image_url": {"url": 5}})],
        [annotation({"type": "image_url", "image_url": 5})],
        [annotation({"type": "video", "image_url": image()["image_url"]})],
        [annotation(text("x"), digest="0" * 64)],
    ],
)
def test_annotations_that_make_no_sense_cost_a_second_reading_and_nothing_else(annotations: Any) -> None:
    messages = [user([file()]), {**assistant("a"), "annotations": annotations}, user("and?")]
    assert 1 == len(missing(messages).files)


def test_engines_see_no_annotations() -> None:
    assert [user(), assistant()] == read([user(), {**assistant(), "annotations": None}])[1]
    assert [user(), assistant()] == read([user(), {**assistant(), "annotations": []}])[1]


def test_nothing_can_be_forged_that_could_not_be_said() -> None:
    forged = annotation({**image(), "uuid": "0" * 64})
    assert "uuid" in refused([user([file()]), {**assistant(), "annotations": [forged]}]).message


@pytest.mark.parametrize(
    ("part", "field", "problem"),
    [
        ({"type": "file"}, FIELD, "must be an object with file_data"),
        ({"type": "file", "file": {"filename": 1}}, FIELD, "must be an object with file_data"),
        (file(file_id="file-1"), f"{FIELD}.file_id", "files are not kept here: send file_data"),
        ({"type": "file", "file": {}}, f"{FIELD}.file_data", "must be a data URL, or one of http or https"),
        (file("JVBERi0="), f"{FIELD}.file_data", "must be a data URL (data:application/pdf;base64,…)"),
        (file("file:///etc/passwd"), f"{FIELD}.file_data", "must be a data URL"),
        (file("data:application/pdf,x"), f"{FIELD}.file_data", "must be of the form"),
        (file("data:application/pdf;base64,"), f"{FIELD}.file_data", "the file is empty"),
        (file("data:application/pdf;base64,abcde"), f"{FIELD}.file_data", "multiple of four"),
        (file("data:application/pdf;base64,ab!d"), f"{FIELD}.file_data", "not valid base64"),
        (file("data:text/plain;base64,ab!d"), f"{FIELD}.file_data", "not valid base64"),
        (file(b"\xff", "text/plain"), f"{FIELD}.file_data", "the text is not in UTF-8"),
        (file(b"x", "application/zip"), f"{FIELD}.file_data", "files of type 'application/zip' are not read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_field(part: Any, field: str, problem: str) -> None:
    error = refused([user([part])])
    assert (400, field) == (error.status, error.field)
    assert problem in error.message


@pytest.mark.parametrize(
    ("limit", "bound", "problem"),
    [
        ("files", 1, "at most 1 files in a request"),
        ("file_bytes", 16, f"{FIELD}: at most 16 bytes, this has 17"),
        ("file_text_chars", 2, "at most 2 characters of text, this has 3"),
    ],
)
def test_files_are_bounded(limit: str, bound: int, problem: str) -> None:
    first = file(b"abc", "text/plain") if limit == "file_text_chars" else file()
    error = refused([user([first, file()])], limits=Limits(**{limit: bound}))
    assert problem in error.message
    assert limit == error.limit


def test_only_users_send_files() -> None:
    assert "a system message holds text only" in refused([{"role": "system", "content": [file()]}]).message


def test_who_switches_the_plugin_off_cannot_send_any() -> None:
    off = [{"id": "file-parser", "enabled": False}]
    assert (
        "the plugin file-parser, which reads files, is switched off" in refused([user([file()])], plugins=off).message
    )
    assert missing([user([file()])], plugins=[{"id": "file-parser"}]).files
