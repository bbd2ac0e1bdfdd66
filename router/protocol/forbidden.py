"""Request fields that callers may not send, by name.

vLLM obeys far more fields than OpenAI's or OpenRouter's API has. These reach into the engine (templates, embeddings as
pickled tensors, KV transfer, scheduling), make one request cost like many, or would point the router elsewhere. What is
in neither this list nor the known fields is unknown to vLLM as well and is passed on.
"""

from router.protocol.errors import ApiError, invalid

_PREFIXES = ("guided_", "mm_", "vllm_")
_NAME_SHOWN = 64  # characters of a name in an error

_ENGINE = frozenset(
    {
        "chat_template",  # code (Jinja) run by the engine: CVE-2026-115911
        "chat_template_kwargs",  # CVE-2025-62426
        "documents",
        "add_generation_prompt",  # set by the router, from the last message's role
        "continue_final_message",  # likewise
        "add_special_tokens",
        "media_io_kwargs",
        "prompt_embeds",  # tensors: CVE-2025-62164
        "image_embeds",
        "kv_transfer_params",
        "ec_transfer_params",
        "echo",  # of a chat: the template's own text; completions know the field
        "cache_salt",  # belongs to the tenant, not to the request
        "priority",
        "request_id",
        "stream_interval",
        "logits_processors",  # names of Python objects
        "return_token_ids",  # internals of the engine from here on
        "return_tokens_as_token_ids",
        "return_prompt_text",
        "return_token_offsets",
        "return_assistant_tokens_mask",
        "routed_experts_prompt_start",
        "thinking_token_budget",
    }
)
_COSTLY = frozenset(
    {
        "best_of",
        "use_beam_search",
        "prompt_logprobs",  # a distribution for each prompt token
        "logprob_token_ids",
        "allowed_token_ids",
        "truncate_prompt_tokens",
        "truncation_side",
        "repetition_detection",
    }
)
_ELSEWHERE = frozenset(  # what other gateways take as an address, a key or a place to call back
    {
        "api_base",
        "api_key",
        "api_version",
        "base_url",
        "callback_url",
        "callbacks",
        "custom_host",
        "custom_llm_provider",
        "default_headers",
        "extra_body",
        "extra_headers",
        "extra_query",
        "headers",
        "mock_response",
        "organization",
        "success_callback",
        "webhook_url",
    }
)
REFUSED = _ENGINE | _COSTLY | _ELSEWHERE
# Fields of a message: tools that nobody has counted or checked, and a word for templates.
MESSAGE_FIELDS = frozenset({"tools", "task"})


def refusal(name: str) -> ApiError | None:
    """Why `name` may not be sent; None if it may."""
    if name in REFUSED or name.startswith(_PREFIXES):
        return invalid(name[:_NAME_SHOWN], "this field is not accepted", limit="forbidden")
    return None
