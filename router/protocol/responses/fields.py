"""Top-level fields of `/responses` that a chat has otherwise, or not at all.

What would need a store is refused, all in one place, but for what the router remembers itself (see memory). A
chat's own names of what is called otherwise here are refused too, since two names for one thing would have to be
weighed against each other.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from router.protocol.errors import invalid
from router.protocol.responses.memory import Memory
from router.protocol.responses.raw import read_at

_LOGPROBS = "message.output_text.logprobs"
_Include = Literal[
    "message.output_text.logprobs",
    "message.input_image.image_url",  # these add what no answer of this router has
    "reasoning.encrypted_content",
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
]
_include = msgspec.json.Decoder(list[_Include])
_truncation = msgspec.json.Decoder(Literal["auto", "disabled"])
_flag = msgspec.json.Decoder(bool)
_top_logprobs = msgspec.json.Decoder(Annotated[int, Meta(ge=0, le=20)])
_plugins = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

_STATELESS = "nothing is stored here; send the whole conversation in input"
_NOT_OFFERED = "is not offered here"
_LONGEST_ID = 256  # characters; more than any that this router gives
_id = msgspec.json.Decoder(Annotated[str, Meta(min_length=1, max_length=_LONGEST_ID)])
_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {  # the chat's names of what this API calls otherwise
        "messages": "input",
        "max_tokens": "max_output_tokens",
        "max_completion_tokens": "max_output_tokens",
        "response_format": "text.format",
        "verbosity": "text.verbosity",
        "logprobs": f"include: ['{_LOGPROBS}']",
    }
)
TRANSLATED = frozenset(
    {
        *("input", "instructions", "tools", "tool_choice", "text", "max_output_tokens", "include", "top_logprobs"),
        *("truncation", "plugins", "store", "background", "previous_response_id", "conversation", "prompt"),
        "prompt_cache_retention",  # of OpenAI's own cache
    }
)


def refuse(given: Mapping[str, msgspec.Raw], memory: Memory | None) -> None:
    """What would need a store, and what this API calls otherwise. `memory`: None where nothing is remembered."""
    why = _STATELESS if memory is None else _NOT_OFFERED
    for name in ("store", "background"):
        is_wanted = name in given and read_at(_flag, given[name], name)
        if is_wanted and (memory is None or name == "background"):
            raise invalid(name, f"must be false: {why}")
    for name in ("previous_response_id", "conversation", "prompt"):
        if name in given and (memory is None or name != "previous_response_id"):
            raise invalid(name, f"must be null: {why}")
    for name, own in _ELSEWHERE.items():
        if name in given:
            raise invalid(name, f"is a field of /chat/completions; here it is {own}")


def previous_id(given: Mapping[str, msgspec.Raw]) -> str | None:
    """The answer that the request goes on from. Raises ApiError (400): it is no id."""
    if "previous_response_id" not in given:
        return None
    found: str = read_at(_id, given["previous_response_id"], "previous_response_id")
    return found


def is_to_be_kept(given: Mapping[str, msgspec.Raw], memory: Memory) -> bool:
    return bytes(given["store"]) == b"true" if "store" in given else memory.by_default


def renamed(given: Mapping[str, msgspec.Raw]) -> dict[str, bytes]:
    """Limits and log probabilities, which only come where they are asked for twice."""
    fields = {}
    if "max_output_tokens" in given:
        fields["max_completion_tokens"] = bytes(given["max_output_tokens"])
    if "top_logprobs" in given:
        read_at(_top_logprobs, given["top_logprobs"], "top_logprobs")
    included = read_at(_include, given["include"], "include") if "include" in given else []
    if _LOGPROBS in included:
        fields["logprobs"] = b"true"
        if "top_logprobs" in given:
            fields["top_logprobs"] = bytes(given["top_logprobs"])
    return fields


def plugins_of(given: Mapping[str, msgspec.Raw]) -> dict[str, bytes]:
    """`truncation` is the plugin `context-compression`, unless that is spoken of itself."""
    plugins = bytes(given["plugins"]) if "plugins" in given else None
    if "truncation" not in given:
        return named("plugins", plugins)
    enabled = b"true" if read_at(_truncation, given["truncation"], "truncation") == "auto" else b"false"
    compression = b'{"id":"context-compression","enabled":%b}' % enabled
    entries = [] if plugins is None else read_at(_plugins, plugins, "plugins")
    if any(bytes(entry.get("id", b"")) == b'"context-compression"' for entry in entries):
        return named("plugins", plugins)
    own = [] if plugins is None or not entries else [plugins[1:-1]]
    return {"plugins": b"[" + b",".join([*own, compression]) + b"]"}


def named(name: str, value: bytes | None) -> dict[str, bytes]:
    return {} if value is None else {name: value}
