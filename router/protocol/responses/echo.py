"""What an answer repeats of its request, as OpenAI's do: all settings, with null for those that were not given.

Written once per request, as raw JSON: a stream says it three times. Line breaks between the caller's tokens are taken
out, for they would end a line of the stream.
"""

from collections.abc import Mapping

import msgspec

from router.protocol.responses.text import Text
from router.protocol.responses.tools import Tools

_DEFAULTS: Mapping[str, bytes] = {
    "frequency_penalty": b"null",
    "instructions": b"null",
    "max_output_tokens": b"null",
    "max_tool_calls": b"null",
    "metadata": b"{}",
    "parallel_tool_calls": b"true",
    "presence_penalty": b"null",
    "prompt_cache_key": b"null",
    "reasoning": b'{"effort":null,"summary":null}',
    "safety_identifier": b"null",
    "service_tier": b'"auto"',
    "temperature": b"null",
    "tool_choice": b'"auto"',
    "top_logprobs": b"0",
    "top_p": b"null",
    "truncation": b'"disabled"',
    "user": b"null",
}


def echo(given: Mapping[str, msgspec.Raw], tools: Tools, text: Text, previous: str | None = None) -> bytes:
    """An object of the answer's fields that are the request's.

    Args:
        given: without nulls.
        tools: of the request.
        text: likewise.
        previous: the id of the answer that it goes on from.
    """
    pieces = [b'{"background":false,"previous_response_id":%b' % msgspec.json.encode(previous)]
    for name, default in _DEFAULTS.items():
        value = bytes(given[name]) if name in given else default
        pieces.append(b'"%b":%b' % (name.encode(), value))
    pieces += (b'"text":' + text.echo, b'"tools":' + tools.echo)
    written = b",".join(pieces) + b"}"
    if b"\n" in written or b"\r" in written:
        written = msgspec.json.format(written, indent=-1)
    return written
