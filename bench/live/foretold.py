"""How much of a run's prompts an index of prefixes could foretell at best: one that knows pictures, or text alone.

At best means: whatever was sent before, to any engine, is still there.
"""

import json
from collections.abc import Iterable

from bench.live.request import Asked
from router.policy.call import Prefix
from router.protocol.limits import Limits
from router.protocol.request import parse_chat


def foretold(requests: Iterable[Asked], *, sees_pictures: bool) -> int:
    """Prompt tokens that are known from an earlier request's beginning, all requests together."""
    known: set[int] = set()
    tokens = 0
    for asked in requests:
        prefix = _prefix(asked.body if sees_pictures else _text_alone(asked.body))
        depth = 0
        while depth < len(prefix.hashes) and prefix.hashes[depth] in known:
            depth += 1
        tokens += prefix.tokens(depth)
        known.update(prefix.hashes)
    return tokens


def _prefix(body: bytes) -> Prefix:
    return parse_chat(body, Limits()).call.prefix


def _text_alone(body: bytes) -> bytes:
    """The request up to its first picture: behind that, equal texts are no equal prompts."""
    fields = json.loads(body)
    kept = []
    for message in fields["messages"]:
        content = message["content"]
        if isinstance(content, list):
            texts = [part for part in content if part["type"] == "text"]
            if len(texts) < len(content):
                kept.append({**message, "content": " "})
                break
            content = texts
        kept.append({**message, "content": content})
    return json.dumps({**fields, "messages": kept}).encode()
