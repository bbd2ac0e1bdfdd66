"""Streams as the router writes them."""

import json

USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "cost": 0.0000021}


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def delta(content: str, finish_reason: str | None = None) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}])


DONE = b"data: [DONE]\n\n"
COMMENT = b": OPENROUTER PROCESSING\n\n"
ANSWER = COMMENT + delta("3 plus ") + delta("4 is ") + delta("7.", "stop") + event(choices=[], usage=USAGE)
