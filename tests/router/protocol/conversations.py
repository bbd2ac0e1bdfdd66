"""Messages for tests, short."""

import base64
from typing import Any

from tests.router.protocol import pictures


def system(content: Any = "s", role: str = "system") -> dict[str, Any]:
    return {"role": role, "content": content}


def user(content: Any = "u") -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any = "a", *calls: str, **more: Any) -> dict[str, Any]:
    """With a tool call for each id in `calls`."""
    tool_calls = [{"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in calls]
    return {"role": "assistant", "content": content, **({"tool_calls": tool_calls} if calls else {}), **more}


def tool(call: str, content: Any = "r", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": content, **more}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def image(data: bytes | None = None, media_type: str = "image/png") -> dict[str, Any]:
    encoded = base64.b64encode(pictures.png(512, 512) if data is None else data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{encoded}"}}
