"""A whole answer of an engine in OpenRouter's shape: what is not streamed.

Messages and logprobs pass as raw JSON. Of vLLM's own fields only `stop_reason` stays, where there is one; of other
providers' those that OpenRouter's answers have: annotations, details of reasoning, and the native finish reason.
"""

from dataclasses import dataclass

import msgspec

from router.policy.catalog import Price
from router.policy.outcome import Usage
from router.protocol.chunk import Identity
from router.protocol.usage import insured, usage_object
from router.protocol.wire import EngineUsage, normal_reason, read

_NULL = msgspec.Raw(b"null")
_BYTES_PER_TOKEN = 4  # of English text, for an answer whose usage is not told


class _Message(msgspec.Struct):
    content: msgspec.Raw = _NULL
    refusal: msgspec.Raw = _NULL
    reasoning: msgspec.Raw = _NULL
    reasoning_content: msgspec.Raw = _NULL  # DeepSeek's name for it, and older vLLM's
    reasoning_details: list[msgspec.Raw] | None = None
    annotations: list[msgspec.Raw] | None = None
    tool_calls: list[msgspec.Raw] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Message | None = None
    text: msgspec.Raw = _NULL
    logprobs: msgspec.Raw = _NULL
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    stop_reason: str | int | None = None

    @property
    def reason(self) -> str | None:
        return None if self.finish_reason is None else normal_reason(self.finish_reason)

    @property
    def native(self) -> str | None:
        return self.native_finish_reason or self.finish_reason

    @property
    def size(self) -> int:
        """Bytes of text and calls, as JSON."""
        if self.message is None:
            return len(memoryview(self.text))
        return len(memoryview(self.message.content)) + sum(len(memoryview(c)) for c in self.message.tool_calls or ())


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    kind: str = msgspec.field(name="object", default="")
    usage: EngineUsage | None = None
    system_fingerprint: str | None = None


_completion = msgspec.json.Decoder(_Completion)


@dataclass(frozen=True, slots=True)
class Answer:
    """The body for the client, and what is to be settled."""

    body: bytes
    usage: Usage
    finish_reason: str | None  # of the first choice
    native_finish_reason: str | None


def reshape(
    body: bytes,
    identity: Identity,
    price: Price,
    *,
    prompt_tokens: int = 0,
    explained: dict[str, object] | None = None,
) -> Answer:
    """Rewrite one answer.

    Args:
        body: a chat completion or a text completion.
        identity: what the answer is called.
        price: for its cost.
        prompt_tokens: estimate, used if whoever answers does not tell the usage.
        explained: how it was routed, for a caller who wants to know.

    Raises:
        ValueError: the body is no completion.
    """
    completion: _Completion = read(_completion, body)
    if not completion.choices:
        raise ValueError("the completion has no choices")
    usage = _usage(completion, prompt_tokens)
    first = completion.choices[0]
    of_text = "text_completion" if first.message is None else "chat.completion"
    answer = {
        "id": identity.generation_id,
        "provider": identity.provider,
        "model": identity.model,
        "object": completion.kind or of_text,
        "created": identity.created,
        "service_tier": None,
        "system_fingerprint": completion.system_fingerprint,
        "choices": [_choice(choice) for choice in completion.choices],
        "usage": usage_object(usage, insured(price, usage, first.reason)),
    }
    if explained is not None:
        answer["openrouter_metadata"] = explained
    return Answer(msgspec.json.encode(answer), usage, first.reason, first.native)


def _usage(completion: _Completion, prompt_tokens: int) -> Usage:
    """As it was told, or else estimated from the answer's length."""
    if completion.usage is not None and completion.usage.prompt_tokens is not None:
        return completion.usage.read()
    size = sum(choice.size for choice in completion.choices)
    return Usage(prompt_tokens, max(1, size // _BYTES_PER_TOKEN), is_exact=False)


def _choice(choice: _Choice) -> dict[str, object]:
    fields: dict[str, object] = {
        "index": choice.index,
        "finish_reason": choice.reason,
        "native_finish_reason": choice.native,
        "logprobs": choice.logprobs,
    }
    if choice.stop_reason is not None:
        fields["stop_reason"] = choice.stop_reason
    message = choice.message
    if message is None:
        return {**fields, "text": choice.text}
    said: dict[str, object] = {"role": "assistant", "content": message.content, "refusal": message.refusal}
    thought = message.reasoning
    said["reasoning"] = message.reasoning_content if bytes(memoryview(thought)[:4]) == b"null" else thought
    if message.reasoning_details:
        said["reasoning_details"] = message.reasoning_details
    if message.annotations:
        said["annotations"] = message.annotations
    if message.tool_calls:
        said["tool_calls"] = message.tool_calls
    return {**fields, "message": said}
