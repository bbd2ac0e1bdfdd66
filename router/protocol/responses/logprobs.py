"""Log probabilities of a chat's tokens as the Responses API has them: once in events, once with bytes in parts."""

import msgspec

from router.protocol.wire import read


class _Alternative(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Token(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[_Alternative] | None = None


class _Logprobs(msgspec.Struct):
    content: list[_Token] | None = None


NO_LOGPROBS = (b"", b"")
_logprobs = msgspec.json.Decoder(_Logprobs | None)


def read_logprobs(raw: msgspec.Raw) -> tuple[bytes, bytes]:
    """What events and what parts have of a choice's `logprobs`: members of an array, b"" if there are none.

    Raises:
        ValueError: it is none of a chat.
    """
    found: _Logprobs | None = read(_logprobs, raw)
    tokens = (found.content or []) if found is not None else []
    for token in tokens:
        token.bytes, token.top_logprobs = token.bytes or [], token.top_logprobs or []
        for other in token.top_logprobs:
            other.bytes = other.bytes or []
    event = [
        {
            "token": token.token,
            "logprob": token.logprob,
            "top_logprobs": [{"token": each.token, "logprob": each.logprob} for each in token.top_logprobs or ()],
        }
        for token in tokens
    ]
    return msgspec.json.encode(event)[1:-1], msgspec.json.encode(tokens)[1:-1]
