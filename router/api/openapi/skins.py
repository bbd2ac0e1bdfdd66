"""Bodies and answers of `/responses` and `/messages`: other APIs over the same way through the router."""

from router.api.openapi.shape import Json, listed, nullable, record

_TEXT: Json = {"type": "string"}
_SAMPLING = (
    "-temperature:number? -top_p:number? -top_k:integer? -stream:boolean? -metadata:object? -provider:object? "
    "-models:string[]? -plugins:object[]? -user:string? -session_id:string? -trace:object? -service_tier:string?"
)


def schemas() -> dict[str, Json]:
    return {**_responses(), **_messages()}


def _responses() -> dict[str, Json]:
    fields = (
        "-model:string -instructions:string? -max_output_tokens:integer? -max_tool_calls:integer? "
        "-parallel_tool_calls:boolean? -reasoning:object? -text:object? -tool_choice:any -tools:object[]? "
        "-top_logprobs:integer? -truncation:string? -previous_response_id:string? -store:boolean? -include:string[]? "
        "-background:boolean? -frequency_penalty:number? -presence_penalty:number? -prompt_cache_key:string? "
        f"-safety_identifier:string? {_SAMPLING}"
    )
    usage = record(
        "input_tokens:integer output_tokens:integer total_tokens:integer -cost:number -is_byok:boolean "
        "-cost_details:object",
        input_tokens_details=record("cached_tokens:integer -cache_write_tokens:integer"),
        output_tokens_details=record("reasoning_tokens:integer"),
    )
    answer = record(
        "id:string model:string created_at:number status:completed|incomplete|failed|in_progress|cancelled|queued "
        "output:object[] error:object? incomplete_details:object? parallel_tool_calls:boolean tools:object[] "
        "tool_choice:any",
        object={"const": "response"},
        usage=nullable(usage),
    )
    return {
        "ResponsesRequest": {
            **record(fields, input={"anyOf": [_TEXT, listed({"type": "object"})]}),
            "additionalProperties": True,
        },
        "ResponsesAnswer": {**answer, "additionalProperties": True},
        "ResponsesEvent": {**record("type:string sequence_number:integer"), "additionalProperties": True},
    }


def _messages() -> dict[str, Json]:
    asked = (
        "model:string -max_tokens:integer -system:any -stop_sequences:string[]? -thinking:object? -tools:object[]? "
        f"-tool_choice:object? -fallbacks:object[]? -cache_control:object? -output_config:object? {_SAMPLING}"
    )
    turn = record("role:user|assistant|system", content={"anyOf": [_TEXT, listed({"type": "object"})]})
    turns: Json = {"type": "array", "items": turn, "minItems": 1}
    usage = record(
        "input_tokens:integer output_tokens:integer -cache_read_input_tokens:integer? "
        "-cache_creation_input_tokens:integer? -cost:number -is_byok:boolean -service_tier:string?"
    )
    answer = record(
        "id:string model:string content:object[] stop_reason:string? stop_sequence:string? -provider:string "
        "-openrouter_metadata:RouterMetadata",
        type={"const": "message"},
        role={"const": "assistant"},
        usage={**usage, "additionalProperties": True},
    )
    counted = "model:string -system:any -tools:object[]? -tool_choice:object? -thinking:object?"
    return {
        "MessagesRequest": {**record(asked, messages=turns), "additionalProperties": True},
        "MessagesAnswer": {**answer, "additionalProperties": True},
        "MessagesEvent": {**record("type:string"), "additionalProperties": True},
        "CountTokensRequest": {**record(counted, messages=turns), "additionalProperties": True},
        "CountTokensAnswer": record("input_tokens:integer"),
    }
