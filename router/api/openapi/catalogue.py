"""Models, endpoints, providers, and what became of a request."""

from router.api.openapi.shape import Json, listed, nullable, record, with_more

_SCORES = "p50:number p75:number p90:number p99:number"


def schemas() -> dict[str, Json]:
    architecture = record(
        "modality:string input_modalities:string[] output_modalities:string[] tokenizer:string instruct_type:string?"
    )
    prices = (
        "prompt:price completion:price -request:price -image:price -input_cache_read:price -input_cache_write:price "
        "-web_search:price -internal_reasoning:price -discount:number"
    )
    return {
        "Model": record(
            "id:string canonical_slug:string hugging_face_id:string? name:string created:integer description:string "
            "context_length:integer? per_request_limits:object? supported_parameters:string[] "
            "default_parameters:object? supported_voices:string[]? -knowledge_cutoff:string? -expiration_date:string? "
            "-images_per_request:integer",
            architecture=architecture,
            pricing=record(prices),
            top_provider=record("context_length:integer? max_completion_tokens:integer? is_moderated:boolean"),
            links=record("details:string"),
        ),
        "Models": record("data:Model[] total_count:integer", links=record("next:string?")),
        "OneModel": record("data:Model"),
        "ModelParameters": record("", data=record("model:string supported_parameters:string[]")),
        "ModelCount": record("", data=record("count:integer")),
        "Endpoint": with_more(
            record(
                "name:string model_id:string model_name:string provider_name:string tag:string quantization:string? "
                "context_length:integer max_completion_tokens:integer? max_prompt_tokens:integer? "
                "supported_parameters:string[] supports_implicit_caching:boolean native_tools:object "
                "service_tier:string? status:integer uptime_last_5m:number? uptime_last_30m:number? "
                "uptime_last_1d:number? "
                "supports_diarization:boolean -supports_voice_cloning:boolean",
                pricing=record(prices),
                latency_last_30m=nullable(record(_SCORES)),
                throughput_last_30m=nullable(record(_SCORES)),
                supports_tool_choice=record("auto:boolean function:boolean none:boolean required:boolean"),
            ),
            engine=record("name:string version:string? versions:object max_model_len:integer? parent:string?"),
        ),
        "ModelEndpoints": record(
            "",
            data=record(
                "id:string name:string created:integer description:string endpoints:Endpoint[]",
                architecture=architecture,
            ),
        ),
        "Endpoints": record("data:Endpoint[]"),
        "Providers": record(
            "",
            data=listed(
                record(
                    "name:string slug:string privacy_policy_url:string? terms_of_service_url:string? "
                    "status_page_url:string? -headquarters:string? -datacenters:string[]?"
                )
            ),
        ),
        "Generation": record("", data=_generation()),
        "Credits": record("", data=record("total_credits:number total_usage:number")),
        "Activity": record("", data=listed(_activity())),
    }


def _activity() -> Json:
    return record(
        "date:string model:string model_permaslug:string endpoint_id:string provider_name:string usage:number "
        "byok_usage_inference:number requests:integer prompt_tokens:integer completion_tokens:integer "
        "reasoning_tokens:integer cached_tokens:integer"
    )


def _generation() -> Json:
    served = record(
        "-provider_name:string? -endpoint_id:string -id:string -model_permaslug:string status:integer? "
        "-latency:number -is_byok:boolean -routed_service_tier:string?"
    )
    return record(
        "id:string upstream_id:string? -request_id:string? -session_id:string? model:string provider_name:string? "
        "router:string? api_type:string? streamed:boolean? cancelled:boolean? created_at:time latency:number? "
        "moderation_latency:number? generation_time:number? finish_reason:string? native_finish_reason:string? "
        "tokens_prompt:integer? tokens_completion:integer? native_tokens_prompt:integer? "
        "native_tokens_completion:integer? native_tokens_cached:integer? native_tokens_reasoning:integer? "
        "native_tokens_completion_images:integer? num_media_prompt:integer? num_media_completion:integer? "
        "num_input_audio_prompt:integer? num_search_results:integer? num_fetches:integer? web_search_engine:string? "
        "usage:number total_cost:number upstream_inference_cost:number? cache_discount:number? is_byok:boolean "
        "origin:string http_referer:string? user_agent:string? external_user:string? app_id:integer? preset_id:string? "
        "service_tier:string? data_region:string workspace_id:string? -response_cache_source_id:string?",
        provider_responses=nullable(listed(served)),
    )
