"""What a batch is asked for: `POST /batches`, with its requests beside it or in a file of lines.

Both forms end as the same: numbered requests of a `custom_id` and a body, which is what the endpoint itself takes. What
the batch says for all of them (`model`, `provider`) is written into each body, unless the body says it itself. That a
body is a good one is found out when it is sent: its answer is the error then, as if it had come alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
from msgspec import Raw

from router.protocol.errors import invalid

ENDPOINTS: Mapping[str, str] = MappingProxyType(
    {
        "/v1/chat/completions": "/chat/completions",
        "/v1/completions": "/completions",
        "/v1/responses": "/responses",
        "/v1/messages": "/messages",
        "/v1/embeddings": "/embeddings",
    }
)
LONGEST_ID = 256  # characters of a custom_id: OpenRouter's bound for identifiers
METADATA_PAIRS, METADATA_NAME, METADATA_VALUE = 16, 64, 512  # OpenAI's bounds
_FALSE = b"false"
_NULL = b"null"


class Preferences(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """OpenRouter's `BatchProviderPreferences`."""

    only: list[str] | None = None
    allow_fallbacks: bool | None = None


class ExpiresAfter(msgspec.Struct, forbid_unknown_fields=True):
    """OpenAI's."""

    anchor: str
    seconds: int


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """One request of the batch."""

    custom_id: str
    body: Raw


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /batches`."""

    endpoint: str
    model: str | None = None
    requests: list[Asked] | None = None
    input_file_id: str | None = None
    completion_window: str | None = None
    provider: Preferences | None = None
    metadata: dict[str, str] | None = None
    output_expires_after: ExpiresAfter | None = None
    callback_url: str | None = None


class Line(msgspec.Struct):
    """One line of an input file."""

    custom_id: str
    url: str
    body: Raw
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Common:
    """What a batch says for all its requests."""

    endpoint: str
    model: str | None = None  # None: each body has its own
    provider: bytes | None = None  # JSON


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """As it will be sent."""

    custom_id: str
    body: bytes
    model: str


_object = msgspec.json.Decoder(dict[str, Raw])
_line = msgspec.json.Decoder(Line)
_text = msgspec.json.Decoder(str)


def check_submit(submit: Submit, *, longest_window_h: int) -> int:
    """The window, in hours.

    Raises:
        ApiError: 400, naming the field at fault.
    """
    if submit.endpoint not in ENDPOINTS:
        raise invalid("endpoint", f"must be one of {', '.join(ENDPOINTS)}")
    if submit.callback_url is not None:
        raise invalid("callback_url", "this router calls nobody back: ask GET /batches/{id} for the status")
    if (submit.requests is None) == (submit.input_file_id is None):
        raise invalid("requests", "give either requests or input_file_id")
    if submit.requests is not None and not submit.model:
        raise invalid("model", "is required together with requests")
    if submit.requests == []:
        raise invalid("requests", "must not be empty")
    _check_metadata(submit.metadata or {})
    expires = submit.output_expires_after
    if expires is not None and (expires.anchor != "created_at" or not 3_600 <= expires.seconds <= 2_592_000):
        raise invalid("output_expires_after", "must have the anchor created_at and 3600 to 2592000 seconds")
    window = submit.completion_window or "24h"
    hours = window[:-1]
    if not (window.endswith("h") and hours.isascii() and hours.isdigit() and len(hours) <= 4):
        raise invalid("completion_window", 'must be a number of hours, e.g. "24h"')
    if not 1 <= int(hours) <= longest_window_h:
        raise invalid("completion_window", f"must be from 1h to {longest_window_h}h")
    return int(hours)


def read_request(custom_id: str, body: Raw, common: Common, field: str) -> BatchRequest:
    """One request, with what is common to all.

    Args:
        custom_id: the caller's name of it.
        body: JSON.
        common: what the batch says.
        field: its path, for errors.

    Raises:
        ApiError: 400.
    """
    if not 1 <= len(custom_id) <= LONGEST_ID or "\0" in custom_id:
        raise invalid(f"{field}.custom_id", f"must have 1 to {LONGEST_ID} characters, and no NUL among them")
    try:
        fields = _object.decode(body)
        model = None if "model" not in fields else _text.decode(fields["model"])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise invalid(f"{field}.body", "must be a JSON object whose model is a text") from None
    if common.model is not None and model not in (None, common.model):
        raise invalid(f"{field}.body.model", f"must be the batch's model, {common.model[:100]}, or absent")
    asked = model or common.model
    if not asked:
        raise invalid(f"{field}.body.model", "is required")
    if bytes(fields.get("stream", _FALSE)) not in (_FALSE, _NULL):
        raise invalid(f"{field}.body.stream", "cannot be true: nobody listens while a batch runs")
    if model is not None and (common.provider is None or "provider" in fields):
        return BatchRequest(custom_id, bytes(body), asked)
    fields["model"] = Raw(msgspec.json.encode(asked))
    if common.provider is not None:
        fields.setdefault("provider", Raw(common.provider))
    return BatchRequest(custom_id, msgspec.json.encode(fields), asked)


def read_line(line: bytes, common: Common, number: int) -> BatchRequest:
    """One line of an input file; `number`: from 1. Raises ApiError 400."""
    field = f"line {number}"
    try:
        asked = _line.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        problem = "must be a JSON object with custom_id, method, url and body"
        raise invalid(field, problem) from None
    if asked.method != "POST":
        raise invalid(f"{field}.method", "must be POST")
    if asked.url != common.endpoint:
        raise invalid(f"{field}.url", f"must be the batch's endpoint, {common.endpoint}")
    return read_request(asked.custom_id, asked.body, common, field)


def provider_json(preferences: Preferences | None) -> bytes | None:
    return None if preferences is None else msgspec.json.encode(preferences)


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > METADATA_PAIRS:
        raise invalid("metadata", f"has at most {METADATA_PAIRS} pairs")
    for name, value in metadata.items():
        if len(name) > METADATA_NAME or len(value) > METADATA_VALUE:
            raise invalid("metadata", f"names have at most {METADATA_NAME} characters and values {METADATA_VALUE}")
