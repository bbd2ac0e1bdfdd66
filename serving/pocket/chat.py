"""A conversation as the tasks write it, and its form as a request body of the OpenAI chat API.

Rules: no tokens here (see `render.py`), no torch; pictures are Pillow images and travel as PNG data URLs.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: dict[str, str | int]
    id: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Pictures come before the text, as Mistral's own rendering puts them.

    `forced` is the beginning of the text that an engine's grammar forces: it is read, not learnt.
    """

    role: Role
    text: str = ""
    pictures: tuple[Image.Image, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    forced: str = ""


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation; a training sample ends with an assistant message, a question with a user or tool one."""

    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()


def data_url(picture: Image.Image) -> str:
    """The picture as a `data:image/png;base64,…` URL."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def to_openai(chat: Chat) -> dict[str, Any]:
    """`messages` (and `tools`, where there are any) of a chat-completions request."""
    body: dict[str, Any] = {"messages": [_message(message) for message in chat.messages]}
    if chat.tools:
        body["tools"] = list(chat.tools)
    return body


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
    if message.calls:
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
                }
                for call in message.calls
            ],
        }
    if not message.pictures:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in message.pictures
    ]
    return {"role": message.role, "content": [*parts, {"type": "text", "text": message.text}]}
