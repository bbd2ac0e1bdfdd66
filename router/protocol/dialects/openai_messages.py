"""A conversation without what strict providers refuse in it.

Clients send an answer back as they got it: with reasoning, annotations and fields that are null. Engines of ours pass
over those, OpenAI and Mistral refuse the request for them, so that it would fail just when it is sent outward.
Reasoning stays for a pool that obeys `reasoning`: OpenRouter hands it to whoever made it. An array that holds nothing
of the kind is not written anew.
"""

import msgspec

from router.protocol.wire import read

_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_REASONING = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
_ANSWERS = frozenset({"annotations", "images"})
_SUSPICIOUS = (b'"reasoning', b'"annotations"', b'"images"', b"null")


def tidy(raw: bytes, *, keeps_reasoning: bool) -> bytes:
    """The `messages` array without those fields, images still as placeholders."""
    if not any(each in raw for each in _SUSPICIOUS):
        return raw
    gone = _ANSWERS if keeps_reasoning else _ANSWERS | _REASONING
    messages = read(_objects, raw)
    return msgspec.json.encode(
        [
            {
                name: value
                for name, value in message.items()
                if name not in gone and (name == "content" or bytes(memoryview(value)[:4]) != b"null")
            }
            for message in messages
        ]
    )
