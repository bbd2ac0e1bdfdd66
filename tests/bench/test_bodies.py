import io
import json
import zlib

import pytest

from bench.bodies import Body, encode, png, prompt, request


@pytest.mark.parametrize("size", [0, 1, 200, 32_768])
def test_a_prompt_has_its_size_and_is_the_same_each_time(size: int) -> None:
    assert size == len(prompt(size).encode())
    assert prompt(size) == prompt(size)


@pytest.mark.parametrize(
    ("body", "least", "most"), [(Body.SMALL, 200, 500), (Body.LARGE, 32_768, 33_100), (Body.IMAGE, 2**20, 2**20 + 9000)]
)
def test_a_body_is_as_large_as_its_name_says(body: Body, least: int, most: int) -> None:
    assert least <= len(encode(body, model="m", max_tokens=4, stream=False)) <= most


def test_a_stream_asks_for_usage_and_a_plain_request_does_not_stream() -> None:
    streamed = json.loads(encode(Body.SMALL, model="m", max_tokens=4, stream=True))
    plain = json.loads(encode(Body.SMALL, model="m", max_tokens=4, stream=False))
    assert (True, {"include_usage": True}) == (streamed["stream"], streamed["stream_options"])
    assert ("m", 4, False) == (plain["model"], plain["max_tokens"], "stream" in plain)


def test_the_picture_is_whole() -> None:
    data = io.BytesIO(png(5, 3))
    assert b"\x89PNG\r\n\x1a\n" == data.read(8)
    kinds = []
    while header := data.read(8):
        size, kind = int.from_bytes(header[:4], "big"), header[4:]
        content = data.read(size)
        assert zlib.crc32(kind + content) == int.from_bytes(data.read(4), "big")
        if kind == b"IHDR":
            assert (5, 3) == (int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big"))
        if kind == b"IDAT":
            assert 3 * (1 + 3 * 5) == len(zlib.decompress(content))
        kinds.append(kind)
    assert [b"IHDR", b"IDAT", b"IEND"] == kinds


def test_the_request_carries_key_and_length() -> None:
    head, _, body = request("h:1", "k", b"{}").partition(b"\r\n\r\n")
    assert b"{}" == body
    assert b"POST /v1/chat/completions HTTP/1.1" == head.split(b"\r\n")[0]
    assert {b"authorization: Bearer k", b"content-length: 2", b"host: h:1"} <= set(head.split(b"\r\n"))
