"""Annotations in answers."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.chunk import CHAT, DONE, Identity
from router.protocol.plugins.annotations import Annotating

ANNOTATIONS = [b'{"type":"file","file":{"hash":"0"}}', b'{"type":"file","file":{"hash":"1"}}']
EXPECTED = [json.loads(each) for each in ANNOTATIONS]
IDENTITY = Identity("gen-1", "m", "local", 5)
COMMENT = b": OPENROUTER PROCESSING\n\n"


def chunk(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    return IDENTITY.chunk(CHAT, {"choices": [choice], **more})


def events(stream: bytes) -> list[Any]:
    data = [event.removeprefix(b"data: ") for event in stream.split(b"\n\n") if event.startswith(b"data: {")]
    return [json.loads(each) for each in data]


class Shouting:
    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def whole(self, body: bytes) -> bytes:
        return body.upper()


@given(cuts=st.lists(st.integers(0, 600)))
def test_a_stream_has_them_behind_its_first_chunk_however_it_is_cut(cuts: list[int]) -> None:
    stream = COMMENT + chunk("a") + chunk("b") + DONE
    skin = Annotating(ANNOTATIONS)
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    out = b"".join(skin.feed(stream[a:b]) for a, b in pairwise(places))
    first, added, second = events(out)
    assert [json.loads(chunk(text)[6:]) for text in "ab"] == [first, second]
    assert {**first, "choices": added["choices"]} == added
    assert EXPECTED == added["choices"][0]["delta"]["annotations"]
    assert COMMENT + chunk("a") == out[: len(COMMENT + chunk("a"))]
    assert out.endswith(chunk("b") + DONE)


def test_comments_are_not_held_back() -> None:
    skin = Annotating(ANNOTATIONS)
    assert COMMENT == skin.feed(COMMENT)
    assert b"" == skin.feed(b"data: {")


@pytest.mark.parametrize(
    "stream", [chunk("", error={"code": 502}) + DONE, IDENTITY.chunk(CHAT, {"choices": []}) + DONE, DONE]
)
def test_a_stream_that_failed_or_is_none_of_ours_stays_as_it_is(stream: bytes) -> None:
    assert stream == Annotating(ANNOTATIONS).feed(stream)


def test_a_first_chunk_without_end_is_not_gathered_for_ever() -> None:
    skin = Annotating(ANNOTATIONS)
    pieces = [b"data: " + b"x" * 700_000, b"x" * 700_000, b"y"]
    assert [b"", b"".join(pieces[:2]), b"y"] == [skin.feed(piece) for piece in pieces]


def test_a_whole_answer_has_them_in_its_messages() -> None:
    body = json.dumps({"id": "gen-1", "choices": [{"index": 0, "message": {"content": "x"}}, {"index": 1}]}).encode()
    answer = json.loads(Annotating(ANNOTATIONS).whole(body))
    assert [{"content": "x", "annotations": EXPECTED}] == [answer["choices"][0]["message"]]
    assert {"index": 1} == answer["choices"][1]


def test_another_skin_gets_what_has_them() -> None:
    body = b'{"choices":[{"message":{}}]}'
    assert Annotating(ANNOTATIONS).whole(body).upper() == Annotating(ANNOTATIONS, Shouting()).whole(body)
    stream = chunk("a") + DONE
    assert Annotating(ANNOTATIONS).feed(stream).upper() == Annotating(ANNOTATIONS, Shouting()).feed(stream)
