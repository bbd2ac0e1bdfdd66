"""What a batch is asked for."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from router.protocol.batch_submit import (
    BatchRequest,
    Common,
    ExpiresAfter,
    Preferences,
    Submit,
    check_submit,
    provider_json,
    read_line,
    read_request,
)
from router.protocol.errors import ApiError

CHAT = "/v1/chat/completions"
ONE = [{"custom_id": "a", "body": {}}]
INLINE: dict[str, Any] = {"endpoint": CHAT, "model": "m", "requests": ONE}


def read(body: Any, common: Common = Common(CHAT, "m"), custom_id: str = "a") -> BatchRequest:  # noqa: B008
    return read_request(custom_id, Raw(body if isinstance(body, bytes) else msgspec.json.encode(body)), common, "r[0]")


def test_both_forms_are_taken() -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(INLINE), type=Submit)
    assert 24 == check_submit(decoded, longest_window_h=48)
    by_file = Submit(CHAT, input_file_id="file-1", completion_window="48h", metadata={"a": "b"})
    assert 48 == check_submit(by_file, longest_window_h=48)
    by_file.output_expires_after = ExpiresAfter("created_at", 3_600)
    assert 48 == check_submit(by_file, longest_window_h=48)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"endpoint": "/v1/videos"}, "endpoint"),
        ({"callback_url": "https://example.com/"}, "callback_url"),
        ({"input_file_id": "file-1"}, "requests"),
        ({"requests": None}, "requests"),
        ({"requests": []}, "requests"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"metadata": {f"{number}": "" for number in range(17)}}, "metadata"),
        ({"metadata": {"n" * 65: ""}}, "metadata"),
        ({"metadata": {"n": "v" * 513}}, "metadata"),
        ({"output_expires_after": {"anchor": "now", "seconds": 3600}}, "output_expires_after"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 3599}}, "output_expires_after"),
        ({"completion_window": "24"}, "completion_window"),
        ({"completion_window": "1d"}, "completion_window"),
        ({"completion_window": "h"}, "completion_window"),
        ({"completion_window": "²h"}, "completion_window"),
        ({"completion_window": "99999h"}, "completion_window"),
        ({"completion_window": "0h"}, "completion_window"),
        ({"completion_window": "49h"}, "completion_window"),
    ],
)
def test_what_cannot_be_is_told(values: dict[str, Any], field: str) -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(INLINE | values), type=Submit)
    with pytest.raises(ApiError) as caught:
        check_submit(decoded, longest_window_h=48)
    assert (400, field) == (caught.value.status, caught.value.field)


def test_what_the_batch_says_is_written_into_each_body() -> None:
    assert BatchRequest("a", b'{"n":1,"model":"m"}', "m") == read({"n": 1})
    asked = b'{ "model":"m" , "n":1}'
    assert BatchRequest("a", asked, "m") == read(asked)
    only = Common(CHAT, "m", b'{"only":["x"]}')
    assert b'{"model":"m","provider":{"only":["x"]}}' == read({"model": "m"}, only).body
    assert b'{"provider":{}, "model": "m"}' == read(b'{"provider":{}, "model": "m"}', only).body
    assert b'{"provider":{},"model":"m"}' == read({"provider": {}}, only).body
    assert "other" == read({"model": "other"}, Common(CHAT)).model
    assert read({"stream": False}) == read({"stream": False})
    assert b'{"stream":null,"model":"m"}' == read({"stream": None}).body


@pytest.mark.parametrize(
    ("body", "common", "custom_id", "field"),
    [
        ({}, Common(CHAT, "m"), "", "r[0].custom_id"),
        ({}, Common(CHAT, "m"), "c" * 257, "r[0].custom_id"),
        ({}, Common(CHAT, "m"), "\0", "r[0].custom_id"),
        ([], Common(CHAT, "m"), "a", "r[0].body"),
        ({"model": 5}, Common(CHAT, "m"), "a", "r[0].body"),
        (b'{"a":"\xff"}', Common(CHAT, "m"), "a", "r[0].body"),
        ({"model": "other"}, Common(CHAT, "m"), "a", "r[0].body.model"),
        ({}, Common(CHAT), "a", "r[0].body.model"),
        ({"model": ""}, Common(CHAT), "a", "r[0].body.model"),
        ({"stream": True}, Common(CHAT, "m"), "a", "r[0].body.stream"),
    ],
)
def test_a_request_that_cannot_be_sent_is_told_by_its_field(
    body: Any, common: Common, custom_id: str, field: str
) -> None:
    if body == b'{"a":"\xff"}':
        body = b'{"\xff":1}'
    with pytest.raises(ApiError) as caught:
        read(body, common, custom_id)
    assert (400, field) == (caught.value.status, caught.value.field)


def test_a_line_of_a_file_is_read() -> None:
    line = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m"},"more":1}'
    assert BatchRequest("a", b'{"model":"m"}', "m") == read_line(line, Common(CHAT), 3)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"", "line 3"),
        (b"{}", "line 3"),
        (b"\xff", "line 3"),
        (b"[" * 100_000, "line 3"),
        (b'{"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":{}}', "line 3.method"),
        (b'{"custom_id":"a","url":"/v1/embeddings","body":{}}', "line 3.url"),
        (b'{"custom_id":"a","url":"/v1/chat/completions","body":{}}', "line 3.body.model"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number(line: bytes, field: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_line(line, Common(CHAT), 3)
    assert field == caught.value.field


def test_preferences_are_kept_as_they_were_said() -> None:
    assert provider_json(None) is None
    assert b'{"only":["x"]}' == provider_json(Preferences(only=["x"]))
