"""The picture that clients ask about."""

import base64
from random import Random
from typing import Any

from serving.pocket.chat import data_url
from serving.pocket.draw import Scene, draw

SCENE = Scene(colour="blue", shape="circle", count=2, spot="", width=140, height=140)
SEES = "There are 2 blue circles."
QUESTION = "Describe the picture."


def picture_url() -> str:
    return data_url(draw(SCENE, Random(9)))


def png_base64() -> str:
    """Without the head of a data URL."""
    data = picture_url().partition(",")[2]
    assert base64.b64decode(data)
    return data


def picture_messages(question: str = QUESTION) -> list[Any]:
    """A conversation in OpenAI's words."""
    parts = [{"type": "image_url", "image_url": {"url": picture_url()}}, {"type": "text", "text": question}]
    return [{"role": "user", "content": parts}]
