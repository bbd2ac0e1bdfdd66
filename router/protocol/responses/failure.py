"""An error in place of the rest of an answer, in the words of the Responses API.

Its codes are OpenAI's, of which there are few; what happened by OpenRouter's name is beside it in `error_type`. That
the context or the bound on tokens was reached is no failure there: the answer is incomplete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from router.protocol.wire import read

SERVER_ERROR = "server_error"
_OUT_OF_TOKENS = frozenset(
    {"context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "string_too_long"}
)
_CODES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("invalid_request", "invalid_prompt", "refusal", "unprocessable"), "invalid_prompt"),
        "rate_limit_exceeded": "rate_limit_exceeded",
        "content_policy_violation": "image_content_policy_violation",
        "invalid_image": "invalid_image",
        "image_too_large": "image_too_large",
        "image_too_small": "image_too_small",
        "unsupported_image_format": "unsupported_image_media_type",
        "image_download_failed": "failed_to_download_image",
        "image_not_found": "image_file_not_found",
    }
)


class _Metadata(msgspec.Struct):
    error_type: str | None = None


class _Error(msgspec.Struct):
    message: str = ""
    metadata: _Metadata | None = None


_error = msgspec.json.Decoder(_Error | None)
_UNTOLD = "The answer broke off."


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer has no end."""

    error_type: str = "server"
    message: str = _UNTOLD

    @property
    def code(self) -> str:
        """OpenAI's."""
        return _CODES.get(self.error_type, SERVER_ERROR)

    @property
    def is_incomplete(self) -> bool:
        """Did it only run out of tokens?"""
        return self.error_type in _OUT_OF_TOKENS

    @property
    def error(self) -> bytes:
        """The value of the response's `error`."""
        return msgspec.json.encode({"code": self.code, "message": self.message})

    @property
    def event(self) -> bytes:
        """Members of the event that stands for an answer that never began."""
        return msgspec.json.encode({"code": self.code, "message": self.message, "param": None})[1:-1]


def read_failure(raw: msgspec.Raw) -> Failure:
    """Of the `error` of a chat's chunk or choice. Whatever it is, it is a failure."""
    try:
        error: _Error | None = read(_error, raw)
    except ValueError:
        error = None
    if error is None:
        return Failure()
    error_type = (error.metadata.error_type if error.metadata else None) or "server"
    return Failure(error_type, error.message or _UNTOLD)
