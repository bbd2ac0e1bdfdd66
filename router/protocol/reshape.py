"""A whole answer of an engine in OpenRouter's shape: what is not streamed.

Messages and logprobs pass as raw JSON. Of vLLM's own fields only `stop_reason` stays, where there is one.
"""

from dataclasses import dataclass

import msgspec

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.usage import usage_object
from router.protocol.wire import EngineUsage, normal_reason, read

_NULL = msgspec.Raw(b"null")


class _Message(msgspec.Struct):
    content: msgspec.Raw = _NULL
    refusal: msgspec.Raw = _NULL
    reasoning: msgspec.Raw = _NULL
    tool_calls: list[msgspec.Raw] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Message | None = None
    text: msgspec.Raw = _NULL
    logprobs: msgspec.Raw = _NULL
    finish_reason: str | None = None
    stop_reason: str | int | None = None


class _Completion(msgspec.Struct):
    kind: str = msgspec.field(name="object")
    choices: list[_Choice]
    usage: EngineUsage
    system_fingerprint: str | None = None


_completion = msgspec.json.Decoder(_Completion)


@dataclass(frozen=True, slots=True)
class Answer:
    """The body for the client, and what is to be settled."""

    body: bytes
    usage: Usage
    finish_reason: str | None  # of the first choice
    native_finish_reason: str | None


def reshape(body: bytes, identity: Identity, price: Price, *, explained: dict[str, object] | None = None) -> Answer:
    """Rewrite one answer. `explained`: how it was routed, for a caller who wants to know.

    Raises:
        ValueError: the body is no completion.
    """
    completion: _Completion = read(_completion, body)
    if not completion.choices:
        raise ValueError("the completion has no choices")
    usage = completion.usage.read()
    answer = {
        "id": identity.generation_id,
        "provider": identity.provider,
        "model": identity.model,
        "object": completion.kind,
        "created": identity.created,
        "service_tier": None,
        "system_fingerprint": completion.system_fingerprint,
        "choices": [_choice(choice) for choice in completion.choices],
        "usage": usage_object(usage, price),
    }
    if explained is not None:
        answer["openrouter_metadata"] = explained
    native = completion.choices[0].finish_reason
    reason = None if native is None else normal_reason(native)
    return Answer(msgspec.json.encode(answer), usage, reason, native)


def _choice(choice: _Choice) -> dict[str, object]:
    native = choice.finish_reason
    fields: dict[str, object] = {
        "index": choice.index,
        "finish_reason": None if native is None else normal_reason(native),
        "native_finish_reason": native,
        "logprobs": choice.logprobs,
    }
    if choice.stop_reason is not None:
        fields["stop_reason"] = choice.stop_reason
    message = choice.message
    if message is None:
        return {**fields, "text": choice.text}
    said: dict[str, object] = {"role": "assistant", "content": message.content, "refusal": message.refusal}
    said["reasoning"] = message.reasoning
    if message.tool_calls:
        said["tool_calls"] = message.tool_calls
    return {**fields, "message": said}
