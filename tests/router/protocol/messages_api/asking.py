"""Bodies of `/messages`, and what an engine gets of them."""

import base64
import json
from typing import Any

from router.policy.catalog import Pool
from router.protocol.limits import Limits
from router.protocol.messages_api.parse import parse_messages
from router.protocol.request import Request
from tests.router.protocol import pictures

POOL = Pool("p", "author/slug", "served")
PNG = base64.b64encode(pictures.png(20, 20)).decode()
LARGE_PNG = base64.b64encode(pictures.png(20, 20, padding=3_000)).decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "input_schema": SCHEMA}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": blocks[0] if blocks and isinstance(blocks[0], str) else [*blocks]}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {**user(*blocks), "role": "assistant"}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def image(data: str = PNG, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def linked(url: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "url", "url": url}}


def document(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, **more}


def use(call_id: str = "toolu_01", name: str = "weather", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def result(content: Any = None, call_id: str = "toolu_01", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def body(*messages: Any, **fields: Any) -> bytes:
    return json.dumps({"model": "author/slug", "max_tokens": 64, "messages": [*messages], **fields}).encode()


def ask(*messages: Any, limits: Limits | None = None, **fields: Any) -> Request:
    return parse_messages(body(*(messages or (user("Hello"),)), **fields), limits or Limits())


def sent(request: Request) -> Any:
    """The engine's body, as a value."""
    return json.loads(request.upstream_body(POOL, generation_id="gen-1"))


def heard(*messages: Any, **fields: Any) -> Any:
    """The engine's messages, without the images' names."""
    listed = sent(ask(*messages, **fields))["messages"]
    for message in listed:
        for part in message.get("content") or () if isinstance(message.get("content"), list) else ():
            part.pop("uuid", None)
    return listed
