"""Answers of inference routes, and the events of their streams."""

from router.api.openapi.shape import Json, listed, record, ref

_DELTA = (
    "-role:assistant -content:string? -refusal:string? -reasoning:string? -tool_calls:object[] -annotations:object[]"
)
_CHOICE = "index:integer finish_reason:string? native_finish_reason:string? logprobs:object? -stop_reason:any"
_ROUTED = "-openrouter_metadata:RouterMetadata"


def schemas() -> dict[str, Json]:
    choice = record(_CHOICE, message=ref("AnswerMessage"))
    text_choice = record(f"{_CHOICE} text:string")
    chunk_choice = record(f"{_CHOICE} -error:ErrorObject", delta=ref("Delta"))
    own = "id:string provider:string model:string created:integer"
    whole = f"{own} service_tier:string? system_fingerprint:string? usage:Usage {_ROUTED}"
    return {
        "ChatAnswer": record(whole, object={"const": "chat.completion"}, choices=listed(choice)),
        "ChatChunk": record(
            f"{own} -usage:Usage -error:ErrorObject -system_fingerprint:string? -service_tier:string? {_ROUTED}",
            object={"const": "chat.completion.chunk"},
            choices=listed(chunk_choice),
        ),
        "CompletionAnswer": record(whole, object={"const": "text_completion"}, choices=listed(text_choice)),
        "CompletionChunk": record(
            f"{own} object:string choices:object[] -usage:Usage -error:ErrorObject -system_fingerprint:string? "
            "-openrouter_metadata:RouterMetadata"
        ),
        "AnswerMessage": record(
            "content:string? refusal:string? reasoning:string? -tool_calls:ToolCall[] -reasoning_details:object[] "
            "-annotations:object[]",
            role={"const": "assistant"},
        ),
        "Delta": record(_DELTA),
        "ToolCall": record(
            "id:string -index:integer", type={"const": "function"}, function=record("name:string arguments:string")
        ),
        "Usage": record(
            "prompt_tokens:integer completion_tokens:integer total_tokens:integer cost:number is_byok:boolean",
            prompt_tokens_details=record(
                "cached_tokens:integer cache_write_tokens:integer audio_tokens:integer video_tokens:integer"
            ),
            completion_tokens_details=record("reasoning_tokens:integer image_tokens:integer audio_tokens:integer"),
            cost_details=ref("CostDetails"),
        ),
        "CostDetails": record(
            "upstream_inference_cost:number? upstream_inference_prompt_cost:number "
            "upstream_inference_completions_cost:number"
        ),
        "EmbeddingAnswer": record(
            f"{own} {_ROUTED}",
            object={"const": "list"},
            data=listed(record("index:integer embedding:any", object={"const": "embedding"})),
            usage=record(
                "prompt_tokens:integer total_tokens:integer cost:number is_byok:boolean cost_details:CostDetails"
            ),
        ),
        "RerankAnswer": record(
            f"{own} {_ROUTED}",
            results=listed(record("index:integer relevance_score:number", document=record("text:string"))),
            usage=record(
                "search_units:integer total_tokens:integer cost:number is_byok:boolean cost_details:CostDetails"
            ),
        ),
        "RouterMetadata": _metadata(),
    }


def _metadata() -> Json:
    schema = dict(
        record(
            "requested:string strategy:string region:string? summary:string attempt:integer is_byok:boolean",
            endpoints=record(
                "total:integer", available=listed(record("provider:string model:string selected:boolean"))
            ),
            attempts=listed(record("provider:string model:string status:integer")),
        )
    )
    return {
        **schema,
        "description": "How the request was routed; sent on `X-OpenRouter-Metadata: enabled`. `routing` is ours.",
        "additionalProperties": True,
    }
