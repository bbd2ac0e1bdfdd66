"""The error body of a foreign provider: read, judged, and told again in the words that the router reads (see failures).

Shapes that come: OpenAI's and OpenRouter's `{"error": {"message", "code", "type", "metadata"}}`, Anthropic's
`{"type": "error", "error": {"type", "message"}}`, Mistral's `{"message", "type", "code"}` and FastAPI's
`{"detail": [...]}`; `code` a number or a name, `message` a text or an object. The provider's words are scrubbed, and
what is secret between it and the router goes before that, whatever it looks like.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from router.policy.outcome import Outcome, Verdict
from router.protocol.dialects.codes import status_of, verdict_of
from router.protocol.dialects.overflow import in_our_words
from router.protocol.scrub import scrub
from router.protocol.wire import read

_any = msgspec.json.Decoder(object)
_MESSAGE_KEYS = ("message", "detail", "msg", "error")
_FLAGGED = ("flagged_input", "reasons")  # OpenRouter's metadata where the provider's moderation refused the input
# An aggregator that cannot serve this one request, for what it asks, is not out of order.
_UNSERVED = ("No endpoints found that support", "No endpoints found matching", "No allowed providers")


def judged(outcome: Outcome, body: bytes, secrets: Sequence[str] = ()) -> tuple[Outcome, bytes]:
    """The verdict on a refused request by its error body, and that body in the router's words.

    Args:
        outcome: by the status alone.
        body: as the provider sent it, maybe cut off.
        secrets: texts that must not be shown, e.g. the router's key there.
    """
    error = _error(body)
    code, kind = error.get("code"), error.get("type")
    message = in_our_words(clean(_message(error), secrets))
    outcome = replace(outcome, verdict=_verdict(outcome, code, error.get("metadata"), message))
    told: dict[str, Any] = {"message": message, "code": outcome.status}
    if isinstance(kind, str):
        told["type"] = scrub(kind)
    if isinstance(param := error.get("param"), str):
        told["param"] = param
    if message:
        outcome = replace(outcome, detail=message)
    return outcome, msgspec.json.encode({"error": told})


def in_answer(body: bytes, secrets: Sequence[str] = ()) -> tuple[Outcome, bytes] | None:
    """The same for an error that comes with status 200 in place of an answer; None: it is an answer."""
    try:
        found = read(_any, body)
    except ValueError:
        return None
    if not isinstance(found, dict) or not found.get("error") or found.get("choices"):
        return None
    error = _error(body)
    status = status_of(error.get("code"), error.get("type")) or 502
    return judged(Outcome(verdict_of(status), status, f"error {status}"), body, secrets)


def told(error: object) -> tuple[int | None, str]:
    """Of the value of `error` in a stream: the status it stands for, where it says, and its words."""
    known = error if isinstance(error, dict) else {"message": error if isinstance(error, str) else ""}
    return status_of(known.get("code"), known.get("type")), in_our_words(scrub(_message(known)))


def clean(text: str, secrets: Sequence[str]) -> str:
    """A foreign text fit to be shown."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "<key>")
    return scrub(text)


def _error(body: bytes) -> dict[str, Any]:
    try:
        found = read(_any, body)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    inner = found.get("error")
    if isinstance(inner, dict):
        return inner
    return {"message": inner} if isinstance(inner, str) else found


def _message(error: dict[str, Any]) -> str:
    for key in _MESSAGE_KEYS:
        said = error.get(key)
        if isinstance(said, str) and said:
            return said
        if isinstance(said, dict | list) and said:
            return msgspec.json.encode(said).decode()
    return ""


def _verdict(outcome: Outcome, code: object, metadata: object, message: str) -> Verdict:
    if outcome.status == 403 and isinstance(metadata, dict) and any(metadata.get(key) for key in _FLAGGED):
        return Verdict.REJECTED
    if outcome.status == 404 and message.startswith(_UNSERVED):
        return Verdict.REJECTED
    if outcome.status == 429 and code == "insufficient_quota":  # OpenAI's way to say that nothing is paid
        return Verdict.UNAVAILABLE
    return outcome.verdict
