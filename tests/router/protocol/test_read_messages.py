"""The `messages` array, checked."""

import hashlib
import json
from typing import Any

import pytest

from router.protocol.body import split
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.protocol.messages import Message
from router.protocol.read_messages import Messages, read_messages
from tests.router.protocol import pictures
from tests.router.protocol.conversations import assistant, image, system, text, tool, user


def read(messages: Any, limits: Limits = Limits()) -> Messages:  # noqa: B008  # frozen
    body = split(json.dumps({"messages": messages}, ensure_ascii=False).encode(), limits)
    return read_messages(body.fields["messages"], body, limits)


A, B = "https://example.com/a.png", "http://example.com/b.gif"
FETCHED = {A: pictures.data_url(pictures.png(512, 512)), B: pictures.data_url(pictures.gif(9, 9), "image/gif")}


def unfetched(messages: Any, limits: Limits = Limits(), salt: str = "") -> Unfetched:  # noqa: B008  # frozen
    body = split(json.dumps({"messages": messages}).encode(), limits)
    with pytest.raises(Unfetched) as caught:
        read_messages(body.fields["messages"], body, limits, salt).media.check_fetched()
    return caught.value


def refused(messages: Any, limits: Limits = Limits()) -> ApiError:  # noqa: B008  # frozen
    with pytest.raises(ApiError) as caught:
        read(messages, limits)
    return caught.value


def test_messages_keep_their_contents_as_raw_json() -> None:
    messages = read([system(), user('é "x"'), assistant(None, "call_1"), tool("call_1", "4", name="f")])
    assert ["system", "user", "assistant", "tool"] == [message.role for message in messages.items]
    assert [b'"s"', '"é \\"x\\""'.encode(), None, b'"4"'] == [message.content for message in messages.items]
    (call,) = messages.items[2].tool_calls
    assert ("call_1", "f", "{}") == (call.id, call.function.name, call.function.arguments)
    assert Message("tool", "messages[3]", b'"4"', [], "call_1", "f") == messages.items[3]


def test_without_images_the_array_stays_as_it_came() -> None:
    messages = [{"content": [text("é")], "role": "user", "more": {"x": [1.50]}}]
    assert json.dumps(messages, ensure_ascii=False).encode() == read(messages).raw


def test_the_engine_knows_each_image_by_its_digest() -> None:
    other = pictures.gif(9, 9)
    content = [text("x"), {**image(), "cache_control": {"type": "ephemeral"}}, image(other, "image/gif"), image()]
    messages = read([{**user(content), "more": 5}, assistant()])
    first, second = (hashlib.sha256(data).hexdigest() for data in (pictures.png(512, 512), other))
    assert {first: (bytes.fromhex(first), 380), second: (bytes.fromhex(second), 2)} == {
        name: (picture.digest, picture.tokens) for name, picture in messages.media.pictures.items()
    }
    written = [
        text("x"),
        {**image(), "cache_control": {"type": "ephemeral"}, "uuid": first},
        {**image(other, "image/gif"), "uuid": second},
        {**image(), "uuid": first},
    ]
    body = messages.media.body
    assert [{**user(written), "more": 5}, assistant()] == json.loads(b"".join(body.restore(messages.raw)))
    assert written == json.loads(b"".join(body.restore(messages.items[0].content or b"")))


def test_images_count_by_their_headers() -> None:
    messages = read([user([text("what?"), image(), image(pictures.jpeg(1024, 1024), "image/jpeg")]), user([image()])])
    assert (3, 380 + 1_406 + 380) == (messages.media.images, messages.media.tokens)
    assert {"text", "image"} == messages.media.kinds


@pytest.mark.parametrize(("part", "kind"), [("input_audio", "audio"), ("video_url", "video"), ("input_video", "video")])
def test_other_media_are_noted_for_whoever_can_serve_them(part: str, kind: str) -> None:
    assert {"text", kind} == read([user([{"type": part, part: {}}])]).media.kinds


@pytest.mark.parametrize("silent", [None, "", [], [text("")], [text(""), text("")]])
def test_an_assistant_that_says_nothing_has_no_content(silent: Any) -> None:
    assert read([user(), assistant(silent)]).items[1].content is None


def test_reasoning_of_earlier_answers_is_noted() -> None:
    assert [False, True, True] == [
        message.has_thoughts
        for message in read(
            [assistant(reasoning=None), assistant(reasoning="hm"), assistant(reasoning_details=[])]
        ).items
    ]


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([{**user(), "tools": []}], "messages[0].tools"),
        ([{**user(), "task": "x"}], "messages[0].task"),
        ([], "messages"),
        ("hi", "messages"),
        ({"role": "user"}, "messages"),
        (["hi"], "messages"),
        ([{"content": "x"}], "messages[0].role"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([{"role": 5, "content": "x"}], "messages[0].role"),
        ([user(), {"role": "user"}], "messages[1].content"),
        ([user(None)], "messages[0].content"),
        ([user(5)], "messages[0].content"),
        ([user([])], "messages[0].content"),
        ([user(["x"])], "messages[0].content"),
        ([user([{"text": "x"}])], "messages[0].content[0].type"),
        ([user([{"type": "text"}])], "messages[0].content[0].text"),
        ([user([{"type": "text", "text": 5}])], "messages[0].content[0].text"),
        ([user([{"type": "thinking", "thinking": "x"}])], "messages[0].content[0].type"),
        ([user([text("x"), {**image(), "uuid": "other"}])], "messages[0].content[1].uuid"),
        ([system([image()])], "messages[0].content[0].type"),
        ([tool("c", [image()])], "messages[0].content[0].type"),
        ([tool("c", None)], "messages[0].content"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([tool("c", name=5)], "messages[0].name"),
        ([assistant(tool_calls=5)], "messages[0].tool_calls"),
        ([assistant(tool_calls=[{"function": {"name": "f"}}])], "messages[0].tool_calls"),
        ([assistant(tool_calls=[{"id": "x", "function": {"name": "f", "arguments": {}}}])], "messages[0].tool_calls"),
        ([user([{"type": "image_url"}])], "messages[0].content[0].image_url"),
        ([user([{"type": "image_url", "image_url": "data:"}])], "messages[0].content[0].image_url"),
        ([user([{"type": "image_url", "image_url": {"url": 5}}])], "messages[0].content[0].image_url.url"),
    ],
)
def test_a_message_of_the_wrong_shape_is_refused_by_its_path(messages: Any, field: str) -> None:
    error = refused(messages)
    assert (400, field) == (error.status, error.field)


def url(value: str) -> list[Any]:
    return [user([{"type": "image_url", "image_url": {"url": value}}])]


@pytest.mark.parametrize(
    ("messages", "error_type", "problem"),
    [
        (url("file:///etc/passwd"), "image_download_failed", "must be a data URL"),
        (url("//example.com/a.png"), "image_download_failed", "must be a data URL"),
        (url(""), "image_download_failed", "must be a data URL"),
        (url("data:image/svg+xml;base64,AAAA"), "unsupported_image_format", "are not supported"),
        (url("data:text/html;base64,AAAA"), "unsupported_image_format", "are not supported"),
        (url("data:image/png;base64,!!!!"), "invalid_image", "not valid base64"),
        (url(image()["image_url"]["url"] + "AAA!"), "invalid_image", "not valid base64"),
        (url("data:image/png;base64,AAAA"), "invalid_image", "not a PNG, JPEG, WebP or GIF image"),
        ([user([image(pictures.png(50_000, 50_000))])], "image_too_large", "pixels (50000 x 50000)"),
        ([user([image(pictures.png(4_000, 1))])], "invalid_image", "at most 200 times the shorter (4000 x 1)"),
    ],
)
def test_a_bad_image_is_refused_with_a_type_that_says_why(messages: Any, error_type: str, problem: str) -> None:
    error = refused(messages)
    assert (400, error_type) == (error.status, error.error_type)
    assert "messages[0].content[0].image_url.url" == error.field
    assert problem in error.message


def test_a_url_with_escapes_is_read_like_any_other() -> None:
    good = image()["image_url"]["url"]
    raw = json.dumps(url(good)).replace("/", r"\/").encode()  # as PHP writes it
    body = split(b'{"messages":' + raw + b"}", Limits())
    assert 380 == read_messages(body.fields["messages"], body, Limits()).media.tokens
    assert [] == body.images


@pytest.mark.parametrize(
    ("limit", "bound", "problem"),
    [
        ("messages", 1, "messages: at most 1 messages, got 2"),
        ("parts", 2, "messages: at most 2 content parts"),
        ("images", 1, "messages: at most 1 images in a request"),
        ("image_bytes", 20, "at most 20 bytes, this has 33"),
        ("image_pixels", 262_143, "at most 262143 pixels (512 x 512), this has 262144"),
        ("image_pixels_total", 300_000, "at most 300000 pixels in all images together, this has 524288"),
        ("image_aspect", 0, "at most 0 times the shorter (512 x 512)"),
    ],
)
def test_messages_and_images_are_bounded(limit: str, bound: int, problem: str) -> None:
    error = refused([user([text("x"), image(), image()]), user()], Limits(**{limit: bound}))
    assert problem in error.message
    assert limit == error.limit


def test_images_to_be_fetched_are_named_each_once_by_their_first_field() -> None:
    messages = [user([text("x"), *url(B)[0]["content"], image()]), *url(A), *url(B), user([image()])]
    raised = unfetched(messages, salt="s")
    assert {
        B: "messages[0].content[1].image_url.url",
        A: "messages[1].content[0].image_url.url",
    } == raised.fields
    assert ((B, A), "s") == (raised.urls, raised.salt)
    assert "2 images to be fetched" == str(raised)


def test_fetched_images_may_be_as_large_as_the_rest_of_the_body_allows() -> None:
    size = len(json.dumps({"messages": url(A)}).encode())
    assert 30_000 == unfetched(url(A), Limits(body_bytes=size + 40_000)).room
    assert 0 == unfetched(url(A), Limits(body_bytes=size)).room


def test_schemes_are_read_whatever_their_case_and_escapes() -> None:
    assert ("HTTPS://example.com/a",) == unfetched(url("HTTPS://example.com/a")).urls
    raw = b'{"messages":' + json.dumps(url(A)).replace("/", r"\/").encode() + b"}"
    body = split(raw, Limits())
    with pytest.raises(Unfetched) as caught:
        read_messages(body.fields["messages"], body, Limits()).media.check_fetched()
    assert (A,) == caught.value.urls


def test_everything_is_checked_before_anything_is_fetched() -> None:
    for limits, messages, problem in (
        (Limits(images=2), [*url(A), *url(B), *url(A)], "at most 2 images"),
        (Limits(), [*url(A), user([image(b"no image")])], "not a PNG"),
        (Limits(parts=1), [*url(A), *url(B)], "at most 1 content parts"),
        (Limits(), [*url(A), user([])], "must hold at least one part"),
    ):
        assert problem in refused(messages, limits).message


def test_a_fetched_image_is_like_one_that_was_sent() -> None:
    named = {"type": "image_url", "image_url": {"url": A, "detail": "high"}, "cache_control": {"type": "ephemeral"}}
    messages = [user([text("x"), named, *url(B)[0]["content"], image(), *url(A)[0]["content"]]), assistant()]
    body = split(json.dumps({"messages": messages}).encode(), Limits())
    with_fetched = read_messages(body.fields["messages"], body, Limits(), "salt", FETCHED)
    with_fetched.media.check_fetched()

    first, second = (json.loads(data) for data in (FETCHED[A], FETCHED[B]))
    sent = [
        user(
            [
                text("x"),
                {**named, "image_url": {"url": first, "detail": "high"}},
                {"type": "image_url", "image_url": {"url": second}},
                image(),
                {"type": "image_url", "image_url": {"url": first}},
            ]
        ),
        assistant(),
    ]
    body = split(json.dumps({"messages": sent}).encode(), Limits())
    without = read_messages(body.fields["messages"], body, Limits(), "salt")
    assert without.media.pictures == with_fetched.media.pictures
    assert (without.media.images, without.media.tokens, without.media.pixels) == (
        with_fetched.media.images,
        with_fetched.media.tokens,
        with_fetched.media.pixels,
    )
    for mine, theirs in zip(with_fetched.items, without.items, strict=True):
        assert restored(with_fetched, mine.content) == restored(without, theirs.content)
    assert restored(with_fetched, with_fetched.raw) == restored(without, without.raw)


def restored(messages: Messages, raw: bytes | None) -> Any:
    return None if raw is None else json.loads(b"".join(messages.media.body.restore(raw)))


def test_fetched_images_are_measured_and_bounded_like_others() -> None:
    body = split(json.dumps({"messages": [*url(A), *url(B)]}).encode(), Limits())
    with pytest.raises(ApiError, match="at most 262143 pixels") as caught:
        read_messages(body.fields["messages"], body, Limits(image_pixels=262_143), fetched=FETCHED)
    assert ("image_too_large", "messages[0].content[0].image_url.url") == (caught.value.error_type, caught.value.field)
