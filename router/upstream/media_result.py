"""How a fetch of a picture ended: a closed set for counting, and what callers are told of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from router.protocol.errors import ApiError, invalid


class Result(Enum):
    """The values are labels of metrics."""

    FETCHED = "fetched"
    URL_REFUSED = "url_refused"  # by its form, before any name was resolved
    ADDRESS_REFUSED = "address_refused"  # of the host, or of one to which a redirect led
    REDIRECT_REFUSED = "redirect_refused"  # its form, from https to http, or one too many
    UNREACHABLE = "unreachable"  # no name, no connection, no valid certificate, broken off, or no HTTP
    TIMEOUT = "timeout"
    NOT_FOUND = "not_found"
    STATUS = "status"  # neither 200 nor one of the above
    TYPE_REFUSED = "type_refused"  # no image by its headers or its first bytes, or the two disagree
    TOO_LARGE = "too_large"  # in bytes or pixels, or with the request's other images
    BUSY = "busy"  # too much is being fetched already
    ABANDONED = "abandoned"  # everybody who waited has left, or the router stops


_ERROR_TYPES: Mapping[Result, str] = MappingProxyType(
    {
        Result.NOT_FOUND: "image_not_found",
        Result.TYPE_REFUSED: "unsupported_image_format",
        Result.TOO_LARGE: "image_too_large",
    }
)
_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """A picture that was fetched."""

    image: bytes  # a data URL as a JSON string, with its quotes
    size: int  # bytes before base64
    may_keep: bool  # the server did not say no-store


class NotFetched(Exception):
    """There is no picture. `problem` is for callers: it names no address and repeats nothing of an answer.

    A host that doesn't exist and one that is inside read the same, so that nobody can look around in there.
    """

    def __init__(self, result: Result, problem: str, limit: str | None = None) -> None:
        super().__init__(problem)
        self.result = result
        self.problem = problem
        self.limit = limit

    def told_of_file(self, field: str) -> ApiError:
        """As the caller sees it, when it is no image that was wanted but a document."""
        problem = self.problem.replace("image", "file")
        if self.result is Result.BUSY:
            return NotFetched(self.result, problem, self.limit).told(field)
        error_type = "not_found" if self.result is Result.NOT_FOUND else "invalid_request"
        return invalid(field, problem, error_type=error_type, limit=self.limit)

    def told(self, field: str) -> ApiError:
        """As the caller sees it, with the field that named the URL."""
        if self.result is Result.BUSY:
            return ApiError(
                "provider_overloaded",
                f"{field}: {self.problem}",
                field=field,
                retry_after_s=_RETRY_AFTER_S,
                limit=self.limit,
            )
        error_type = _ERROR_TYPES.get(self.result, "image_download_failed")
        return invalid(field, self.problem, error_type=error_type, limit=self.limit)
