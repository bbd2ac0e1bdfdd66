"""A request's JSON body becomes a struct; what is wrong with it is told by the field's name, in the API's shape.

For the routes that administer: their bodies are small, and unknown fields are refused, because a limit with a typo in
its name would be no limit.
"""

import re
from typing import TypeVar

import msgspec
from fastapi import Request

from router.protocol.errors import ApiError, invalid

T = TypeVar("T", bound=msgspec.Struct)

_LARGEST = 262_144  # bytes of a body: three thousand key hashes
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_PATH = re.compile(r"(.*) - at `(?:key in )?\$\.?([^`]*)`", re.DOTALL)


async def read_json(request: Request, shape: type[T]) -> T:
    """
    Raises:
        ApiError: 413, it is too large; 400, it is not of this shape.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise ApiError("payload_too_large", f"The request body is larger than {_LARGEST} bytes.")
    return decode_json(body, shape)


def decode_json(body: bytes | bytearray, shape: type[T]) -> T:
    """
    Raises:
        ApiError: 400, it is not of this shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise _told(str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ApiError("invalid_request", "The request body is not JSON.") from None


def _told(words: str) -> ApiError:
    found = _PATH.fullmatch(words)
    problem, path = (found[1], found[2]) if found else (words, "")
    for pattern, said in ((_UNKNOWN, "is not a field of this request"), (_MISSING, "is required")):
        if name := pattern.fullmatch(problem):
            return invalid(f"{path}.{name[1][:100]}".strip("."), said)
    if not path:
        return ApiError("invalid_request", f"The request body is not as it should be: {problem}.")
    return invalid(path, problem[:1].lower() + problem[1:])
