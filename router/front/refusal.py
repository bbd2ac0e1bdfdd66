"""Why a connection or a request is refused before the application sees it: a closed set of names, each with its answer.

The names are values of a metric's label and of `error.metadata.reason`. The answer has the API's shape, and always ends
the connection: after a request that was not understood nobody knows where the next one begins.
"""

from enum import Enum

from router.front.settings import FrontSettings
from router.protocol.errors import ApiError, render


class Refusal(Enum):
    """The name of a refusal, its status, its error type and its message (a format of the settings, `{0}`)."""

    # what does not answer: the peer has said nothing, or cannot hear
    NO_REQUEST = ("no_request", 0, "", "")
    SLOW_HANDSHAKE = ("slow_handshake", 0, "", "")
    BAD_HANDSHAKE = ("bad_handshake", 0, "", "")
    SLOW_READER = ("slow_reader", 0, "", "")
    PIPELINED = ("pipelined", 0, "", "")
    IDLE_EVICTED = ("idle_evicted", 0, "", "")
    # what came too slowly
    SLOW_HEAD = ("slow_head", 408, "timeout", "The headers were not complete after {0.head_s:g} s (front.head_s).")
    SLOW_BODY = (
        "slow_body",
        408,
        "timeout",
        "The request body came too slowly; see front.body_gap_s and front.body_bytes_per_s.",
    )
    # what is too much
    HEAD_TOO_LARGE = (
        "head_too_large",
        431,
        "invalid_request",
        "Request line and headers are larger than {0.head_bytes} bytes (front.head_bytes).",
    )
    TOO_MANY_HEADERS = (
        "too_many_headers",
        431,
        "invalid_request",
        "The request has more than {0.headers} headers (front.headers).",
    )
    PATH_TOO_LONG = (
        "path_too_long",
        414,
        "invalid_request",
        "The path is longer than {0.path_bytes} bytes (front.path_bytes).",
    )
    TOO_MANY_CONNECTIONS = (
        "too_many_connections",
        503,
        "provider_overloaded",
        "The router has as many connections as it may (front.connections). Try again in a moment.",
    )
    TOO_MANY_OF_ADDRESS = (
        "too_many_of_address",
        503,
        "provider_overloaded",
        "There are {0.connections_per_address} connections from your address (front.connections_per_address).",
    )
    # what could be understood in two ways, or not at all
    BAD_HTTP = ("bad_http", 400, "invalid_request", "This is not a well-formed HTTP/1.1 request.")
    BAD_REQUEST_LINE = (
        "bad_request_line",
        400,
        "invalid_request",
        "The request line must be `METHOD /path HTTP/1.1`, with one space between and a path that begins with `/`.",
    )
    BAD_PATH = (
        "bad_path",
        400,
        "invalid_request",
        "The path has empty or dot segments, control characters or invalid escapes.",
    )
    BAD_HOST = ("bad_host", 400, "invalid_request", "A request must have exactly one Host header, with a host name.")
    BAD_FRAMING = (
        "bad_framing",
        400,
        "invalid_request",
        "The body must have either one Content-Length or one `Transfer-Encoding: chunked`.",
    )
    REPEATED_HEADER = ("repeated_header", 400, "invalid_request", "A header that may come once came twice.")
    TRAILERS = ("trailers", 400, "invalid_request", "Trailers after a chunked body are not accepted.")
    CHUNK_OVERHEAD = (
        "chunk_overhead",
        400,
        "invalid_request",
        "The chunked body is mostly chunk sizes and extensions (front.chunk_overhead_bytes).",
    )
    EXPECTATION = ("expectation", 417, "invalid_request", "The only expectation that is met is 100-continue.")
    CONTENT_ENCODING = (
        "content_encoding",
        415,
        "invalid_request",
        "Request bodies must not be compressed: send them without Content-Encoding.",
    )

    def __init__(self, label: str, status: int, error_type: str, message: str) -> None:
        self.label = label
        self.status = status
        self.error_type = error_type
        self.message = message


class Refused(Exception):
    """What was read so far is refused. For the way out of a parser's callbacks."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.label)
        self.refusal = refusal


RETRY_AFTER_S = 1
STATUS_LINES = {
    400: b"HTTP/1.1 400 Bad Request\r\n",
    408: b"HTTP/1.1 408 Request Timeout\r\n",
    414: b"HTTP/1.1 414 URI Too Long\r\n",
    415: b"HTTP/1.1 415 Unsupported Media Type\r\n",
    417: b"HTTP/1.1 417 Expectation Failed\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\n",
}


def answer(refusal: Refusal, settings: FrontSettings) -> bytes:
    """The whole response; empty where the peer gets none."""
    if not refusal.status:
        return b""
    error = ApiError(
        refusal.error_type,
        refusal.message.format(settings),
        status=refusal.status,
        metadata={"reason": refusal.label},
        retry_after_s=RETRY_AFTER_S if refusal.status == 503 else None,
    )
    body = render(error)
    head = STATUS_LINES[refusal.status] + b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
    if refusal.status == 503:
        head += b"retry-after: %d\r\n" % RETRY_AFTER_S
    return head + b"connection: close\r\n\r\n" + body
