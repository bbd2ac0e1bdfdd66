"""Classes of content."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.content_class import ContentClass, classify

PROSE = "It is a truth universally acknowledged, that a single man in possession of a good fortune, must want a wife. "
FRENCH = "Les êtres humains naissent libres et égaux en dignité et en droits, doués de raison et de conscience. "
RUSSIAN = "Никогда не разговаривайте с неизвестными, сказал мастер. "
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι. "
CHINESE = "人工智能是计算机科学的一个分支，它企图了解智能的实质。"
PROGRAM = "def area(self, width: int = 3) -> float:\n    return self.scale * (width + 2)  # of one {side}\n"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", "prose"),
        (PROSE, "prose"),
        (PROSE * 400, "prose"),
        ("<s>[SYSTEM_PROMPT]You are a helpful assistant.[/SYSTEM_PROMPT][INST]What is new?[/INST]", "prose"),
        (PROSE * 3 + "It’s so.", "prose"),
        (PROGRAM * 3, "code"),
        (PROGRAM * 300, "code"),
        (json.dumps([{"id": number, "ok": True} for number in range(500)]), "code"),
        (FRENCH * 5, "mixed"),
        ("“Quotes” — and … dashes – ", "mixed"),
        (PROSE * 3 + CHINESE, "mixed"),
        (RUSSIAN * 300, "nonlatin"),
        (GREEK, "nonlatin"),
        (CHINESE * 300, "nonlatin"),
        (PROSE + RUSSIAN * 4, "nonlatin"),
    ],
)
def test_a_text_is_told_by_its_bytes(text: str, content: ContentClass) -> None:
    assert content == classify(text.encode())


@given(text=st.binary(max_size=20_000))
def test_any_bytes_have_a_class(text: bytes) -> None:
    assert classify(text) in ("prose", "code", "mixed", "nonlatin")
