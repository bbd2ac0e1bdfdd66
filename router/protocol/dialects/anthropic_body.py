"""A request as Anthropic's messages have it.

`max_tokens` must be given there: the caller's, else the pool's most, else 4,096. A JSON schema becomes
`output_config.format`, which constrains the answer; for `json_object`, which has no counterpart, a line is added to the
system's text. (A tool that is forced and whose input is the answer would be the other way; it leaves no room for the
caller's own tools.) Reasoning becomes `thinking` with a budget, where the pool obeys `reasoning`.
"""

from typing import Any

import msgspec

from router.policy.call import Call
from router.policy.catalog import Pool
from router.protocol.dialects.allowed import options
from router.protocol.dialects.anthropic_content import array
from router.protocol.dialects.anthropic_messages import converse
from router.protocol.dialects.source import Pieces, Source
from router.protocol.dialects.words import Said, Words

MAX_TOKENS = 4_096  # of an answer, where neither caller nor pool names a bound: every model of theirs can write as much
LEAST_THINKING = 1_024  # tokens; Anthropic refuses fewer
MOST_THINKING = 32_000  # tokens; OpenRouter's bound
_EFFORTS = {"xhigh": 0.95, "high": 0.8, "medium": 0.5, "low": 0.2, "minimal": 0.1}  # of max_tokens; OpenRouter's shares
_JSON = b'{"type":"text","text":"Answer with one JSON object and nothing else: no other words, no code fence."}'
_SAMPLING = ("temperature", "top_p", "top_k")


def write_anthropic(source: Source, call: Call, pool: Pool, words: Words) -> Said:
    """The request for one provider. Only chats can be said (see able)."""
    told = converse(source)
    obeys = pool.parameters
    max_tokens = call.max_tokens or pool.max_completion_tokens or MAX_TOKENS
    fields: dict[str, Any] = {"max_tokens": max_tokens}
    if "response_format" in obeys:
        form = source.value("response_format") or {}
        if form.get("type") == "json_schema":
            schema = (form.get("json_schema") or {}).get("schema")
            fields["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        elif form.get("type") == "json_object":
            told.system.append([_JSON])
    thinking = _thinking(source, max_tokens) if "reasoning" in obeys else None
    if thinking is None:
        fields |= _sampling(source, obeys)
    else:  # beside it Anthropic takes no sampling but its own
        fields["thinking"] = thinking
    if "stop" in obeys and (stop := source.value("stop")):
        fields["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if "tools" in obeys:
        fields |= _tools(source, obeys, is_thinking=thinking is not None)
    if "user" in obeys and (user := source.user(words.user_key)) is not None:
        fields["metadata"] = {"user_id": user}
    if call.stream:
        fields["stream"] = True
    fields |= {name: raw for name, raw in options(source, pool).items() if name not in fields}
    body: Pieces = [b'{"model":', msgspec.json.encode(pool.upstream_model)]
    if told.system:
        body += (b',"system":', *array(told.system))
    body += (b',"messages":', *told.written())
    for name, value in fields.items():
        body += (b",", msgspec.json.encode(name), b":", msgspec.json.encode(value))
    body.append(b"}")
    return Said("/messages", b"".join(body))


def _sampling(source: Source, obeys: frozenset[str]) -> dict[str, Any]:
    given = {name: source.value(name) for name in _SAMPLING if name in obeys}
    fields = {name: value for name, value in given.items() if value is not None}
    if "temperature" in fields:
        fields["temperature"] = min(fields["temperature"], 1.0)  # Anthropic's range ends there
    if fields.get("top_k", 1) < 1:  # ours for "all"
        del fields["top_k"]
    return fields


def _thinking(source: Source, max_tokens: int) -> dict[str, Any] | None:
    """None: not asked for, or there is no room for the least that Anthropic takes."""
    asked = source.value("reasoning") or {}
    effort = str(asked.get("effort") or source.value("reasoning_effort"))
    budget = asked.get("max_tokens")
    if asked.get("enabled") is False or effort == "none":
        return None
    if not isinstance(budget, int):
        if effort not in _EFFORTS and not asked.get("enabled"):
            return None
        budget = min(int(max_tokens * _EFFORTS.get(effort, 0.5)), MOST_THINKING)
    budget = max(budget, LEAST_THINKING)
    return {"type": "enabled", "budget_tokens": budget} if budget < max_tokens else None


def _tools(source: Source, obeys: frozenset[str], *, is_thinking: bool) -> dict[str, Any]:
    tools = [_tool(tool["function"]) for tool in source.value("tools") or ()]
    if not tools:
        return {}
    choice = _choice(source.value("tool_choice")) if "tool_choice" in obeys else None
    if is_thinking and choice is not None and choice["type"] in ("any", "tool"):
        choice = None  # a call cannot be demanded of a model that thinks
    if source.value("parallel_tool_calls") is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return {"tools": tools} if choice is None else {"tools": tools, "tool_choice": choice}


def _tool(function: dict[str, Any]) -> dict[str, Any]:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    tool = {"name": function["name"], "input_schema": schema}
    if function.get("description"):
        tool["description"] = function["description"]
    return tool


def _choice(choice: object) -> dict[str, Any] | None:
    if isinstance(choice, dict):
        return {"type": "tool", "name": choice["function"]["name"]}
    return {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}.get(str(choice))
