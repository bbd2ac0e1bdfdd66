"""What the engines say of themselves: vLLM's own series, scraped from each replica."""

from deploy.grafana.model import Dashboard, Row, Step, Variable, heat, lines, number, quantiles
from deploy.grafana.panels.common import per_second, ratio

_E = 'job=~"$job", model_name=~"$model_name", instance=~"$instance"'


def _hits(cache: str) -> str:
    return ratio(f"vllm:{cache}_cache_hits_total{{{_E}}}", f"vllm:{cache}_cache_queries_total{{{_E}}}", "instance")


_STATE = Row(
    "Now",
    (
        number(
            "Engines",
            "That give their metrics.",
            "none",
            f"count(count by (job, instance) (vllm:num_requests_running{{{_E}}}))",
            base="blue",
        ),
        number("Running", "Requests in all batches.", "none", f"sum(vllm:num_requests_running{{{_E}}})", base="blue"),
        number(
            "Waiting",
            "Requests that no batch has room for; 0 when all is well.",
            "none",
            f"sum(vllm:num_requests_waiting{{{_E}}})",
            Step(1, "yellow"),
            Step(32, "red"),
        ),
        number(
            "Fullest KV cache",
            "Of all engines. Full of what runs, not of what may be forgotten.",
            "percentunit",
            f"max(vllm:kv_cache_usage_perc{{{_E}}})",
            Step(0.8, "orange"),
            Step(0.95, "red"),
        ),
        number(
            "Prompts found cached",
            "Share of prompt tokens, last half hour; the lowest model's.",
            "percentunit",
            'min(tramontane:prefix_cache_hits:ratio_rate30m{job=~"$job", model_name=~"$model_name"})',
            base="blue",
        ),
        number(
            "Tokens per second",
            "That all engines give out together.",
            "short",
            f"sum(rate(vllm:generation_tokens_total{{{_E}}}[5m]))",
            base="blue",
        ),
    ),
)

_LOAD = Row(
    "Load",
    (
        lines(
            "Running by engine",
            "Requests in each batch. More is more throughput and slower tokens.",
            "short",
            (f"sum by (instance) (vllm:num_requests_running{{{_E}}})", "{{instance}}"),
        ),
        lines(
            "Waiting by engine",
            "Requests each engine has no room for.",
            "short",
            (f"sum by (instance) (vllm:num_requests_waiting{{{_E}}})", "{{instance}}"),
        ),
        lines(
            "KV cache in use",
            "Share of blocks held by running requests. Above 95 % vLLM preempts.",
            "percentunit",
            (f"max by (instance) (vllm:kv_cache_usage_perc{{{_E}}})", "{{instance}}"),
            most=1.0,
            steps=(Step(0.95, "red"),),
        ),
        lines(
            "Preemptions",
            "Requests thrown out of a batch and computed again, per second. Each stops a stream for seconds.",
            "ops",
            (per_second(f"vllm:num_preemptions_total{{{_E}}}", "instance"), "{{instance}}"),
        ),
        lines(
            "Prompt tokens",
            "Per second, cached ones included.",
            "short",
            (per_second(f"vllm:prompt_tokens_total{{{_E}}}", "instance"), "{{instance}}"),
            stacked=True,
        ),
        lines(
            "Tokens given out",
            "Per second. An engine with running requests and none of these is stuck.",
            "short",
            (per_second(f"vllm:generation_tokens_total{{{_E}}}", "instance"), "{{instance}}"),
            stacked=True,
        ),
    ),
)

_CACHES = Row(
    "Caches",
    (
        lines(
            "Prompt tokens found cached",
            "Share of those looked for. It falls when conversations are scattered, or the cache is too small for them.",
            "percentunit",
            (
                ratio(f"vllm:prefix_cache_hits_total{{{_E}}}", f"vllm:prefix_cache_queries_total{{{_E}}}", "instance"),
                "{{instance}}",
            ),
            width=12,
            most=1.0,
        ),
        lines(
            "Pictures found cached",
            "Share of pictures whose processing was found in the multimodal cache.",
            "percentunit",
            (
                ratio(f"vllm:mm_cache_hits_total{{{_E}}}", f"vllm:mm_cache_queries_total{{{_E}}}", "instance"),
                "{{instance}}",
            ),
            width=12,
            most=1.0,
        ),
    ),
)

_TIME = Row(
    "Time, as engines see it",
    (
        quantiles(
            "Time to first token",
            "From an engine's receipt of a request. The router's own figure is larger by network and waiting.",
            f"vllm:time_to_first_token_seconds_bucket{{{_E}}}",
        ),
        quantiles(
            "Between tokens",
            "From one token to the next. Peaks far above the median: prompts are computed in between.",
            f"vllm:inter_token_latency_seconds_bucket{{{_E}}}",
        ),
        quantiles(
            "Whole requests",
            "From receipt to the last token.",
            f"vllm:e2e_request_latency_seconds_bucket{{{_E}}}",
        ),
        quantiles(
            "Waiting in the engine",
            "Until a request was first in a batch; near 0 when the routers hold back in time.",
            f"vllm:request_queue_time_seconds_bucket{{{_E}}}",
        ),
        quantiles(
            "Computing prompts",
            "From a batch to the first token. Grows with what is not cached.",
            f"vllm:request_prefill_time_seconds_bucket{{{_E}}}",
        ),
        quantiles(
            "Giving tokens out",
            "From the first token to the last.",
            f"vllm:request_decode_time_seconds_bucket{{{_E}}}",
        ),
        heat(
            "Between tokens, all",
            "How the pauses between tokens are spread, over time.",
            "s",
            per_second(f"vllm:inter_token_latency_seconds_bucket{{{_E}}}", "le"),
        ),
    ),
)

_WORK = Row(
    "What is asked of them",
    (
        quantiles(
            "Prompt length",
            "Tokens per request.",
            f"vllm:request_prompt_tokens_bucket{{{_E}}}",
            unit="short",
        ),
        quantiles(
            "Answer length",
            "Tokens per request.",
            f"vllm:request_generation_tokens_bucket{{{_E}}}",
            unit="short",
        ),
        lines(
            "Requests by how they ended",
            "length: cut off by max_tokens. abort: the caller left, or the router let go. error: the engine's own.",
            "reqps",
            (per_second(f"vllm:request_success_total{{{_E}}}", "finished_reason"), "{{finished_reason}}"),
            stacked=True,
        ),
        quantiles(
            "Tokens per step",
            "Prompt and answer tokens computed in one iteration; near max_num_batched_tokens: the batch is full.",
            f"vllm:iteration_tokens_total_bucket{{{_E}}}",
            unit="short",
            width=24,
        ),
    ),
)

ENGINES = Dashboard(
    uid="tramontane-engines",
    title="Tramontane / Engines",
    description="vLLM's own series, scraped from each replica.",
    variables=(
        Variable("job", "Engines", "vllm:num_requests_running"),
        Variable("model_name", "Model", 'vllm:num_requests_running{job=~"$job"}'),
        Variable("instance", "Engine", 'vllm:num_requests_running{job=~"$job", model_name=~"$model_name"}'),
    ),
    rows=(_STATE, _LOAD, _CACHES, _TIME, _WORK),
)
