"""The table of request fields: type, range, and whether the engine gets them.

Ranges are OpenRouter's. A field that is null counts as absent: absent parameters are never filled in. Fields that only
the router understands never reach an engine; fields nobody knows are passed on untouched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from router.protocol.service_tier import ServiceTier
from router.protocol.wire import Decoder

_INT64_MAX = 2**63 - 1
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Count = Annotated[int, Meta(ge=1, le=_INT64_MAX)]
_TokenId = Annotated[int, Meta(ge=0, lt=2**31)]
_TokenKey = Annotated[str, Meta(pattern="^[0-9]{1,10}$")]


@dataclass(frozen=True, slots=True)
class Field:
    """One row: how to read it, and whether it goes to the engine as it came."""

    decoder: Decoder | None  # None: read elsewhere
    is_forwarded: bool


def _forwarded(**shapes: Any) -> dict[str, Field]:
    return {name: Field(msgspec.json.Decoder(shape | None), True) for name, shape in shapes.items()}


def _kept(**shapes: Any) -> dict[str, Field]:
    return {name: Field(msgspec.json.Decoder(shape | None), False) for name, shape in shapes.items()}


_SHARED = {
    **_forwarded(
        temperature=Annotated[float, Meta(ge=0, le=2)],
        top_p=Annotated[float, Meta(gt=0, le=1)],
        top_k=Annotated[int, Meta(ge=-1, lt=2**31)],  # -1 is vLLM's own way to say: all
        min_p=_Share,
        frequency_penalty=_Penalty,
        presence_penalty=_Penalty,
        repetition_penalty=Annotated[float, Meta(gt=0, le=2)],
        seed=Annotated[int, Meta(ge=-_INT64_MAX - 1, le=_INT64_MAX)],
        n=_Count,
        stream=bool,
        stop=str | list[str],
        logit_bias=dict[_TokenKey, Annotated[float, Meta(ge=-100, le=100)]],
        min_tokens=Annotated[int, Meta(ge=0, le=_INT64_MAX)],
        ignore_eos=bool,
        stop_token_ids=list[_TokenId],
        bad_words=list[str],
        include_stop_str_in_output=bool,
        skip_special_tokens=bool,
        spaces_between_special_tokens=bool,
    ),
    **_kept(
        model=str,
        max_tokens=_Count,
        max_completion_tokens=_Count,
        models=list[str],
        user=str,
        session_id=str,
        stream_options=dict[str, Any],
        response_format=dict[str, Any],
        structured_outputs=bool,  # a capability flag in OpenRouter's words; vLLM's object of that name is refused
        metadata=dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
        top_a=_Share,  # vLLM has none: dropped, as unsupported parameters are
        **dict.fromkeys(("provider", "trace", "usage", "debug", "image_config", "reasoning"), dict[str, Any]),
        **dict.fromkeys(("plugins", "transforms", "modalities", "stop_server_tools_when"), list[Any]),
        **dict.fromkeys(("route", "preset", "prompt_cache_key", "reasoning_effort", "verbosity"), str),
        **dict.fromkeys(("prompt_cache_options", "cache_control", "prediction", "audio"), dict[str, Any]),
        **dict.fromkeys(("deferred_tools", "web_search_options"), dict[str, Any]),
        service_tier=ServiceTier,
        include_reasoning=bool,
        max_tool_calls=int,
        store=bool,
        safety_identifier=str,
    ),
}
CHAT: Mapping[str, Field] = {
    **_SHARED,
    **_forwarded(logprobs=bool, top_logprobs=Annotated[int, Meta(ge=0)], parallel_tool_calls=bool),
    **dict.fromkeys(("messages", "prompt", "tools", "tool_choice"), Field(None, False)),
}
COMPLETIONS: Mapping[str, Field] = {
    **_SHARED,
    **_forwarded(logprobs=Annotated[int, Meta(ge=0)], echo=bool),
    "prompt": Field(None, False),
}
_WITHOUT_TOKENS = {
    name: field
    for name, field in _SHARED.items()
    if name in ("model", "models", "user", "session_id", "provider", "trace", "metadata", "preset", "route")
}
EMBEDDINGS: Mapping[str, Field] = {
    **_WITHOUT_TOKENS,
    **_forwarded(
        dimensions=Annotated[int, Meta(ge=1, lt=2**31)],
        encoding_format=Literal["float", "base64"],
        truncate_prompt_tokens=Annotated[int, Meta(ge=-1, lt=2**31)],
    ),
    **_kept(input_type=str),
    "input": Field(None, False),
}
RERANK: Mapping[str, Field] = {
    **_WITHOUT_TOKENS,
    **_forwarded(top_n=Annotated[int, Meta(ge=1, lt=2**31)]),
    **dict.fromkeys(("query", "documents"), Field(None, False)),
}
