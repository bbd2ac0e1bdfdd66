"""Rows of the page on routing that tell how engines are chosen: balance, caches, forecasts."""

from deploy.grafana.model import Row, Step, lines, quantiles, states
from deploy.grafana.panels.common import RM, RP, R, mean, per_second, ratio


def _prompts(matchers: str) -> str:
    return f'tramontane_tokens_total{{{matchers}, kind=~"prompt|cached_prompt"}}'


_STREAMS = f"max by (pool, endpoint) (tramontane_endpoint_all_streams{{{RP}}})"

BALANCE = Row(
    "Balance",
    (
        lines(
            "Requests by engine",
            "Of all routers and of others, as the first router sees them. Equal is not the aim: equal waiting is.",
            "short",
            (_STREAMS, "{{endpoint}}"),
        ),
        lines(
            "Queued prompt tokens by engine",
            "Neither cached nor computed yet, of all routers: what a new request there would wait for.",
            "short",
            (f"max by (pool, endpoint) (tramontane_endpoint_all_queued_tokens{{{RP}}})", "{{endpoint}}"),
        ),
        lines(
            "Imbalance",
            "The busiest engine's requests to the pool's mean. Up to 2 is normal where conversations stay together.",
            "none",
            (
                f"max by (pool) ({_STREAMS}) / (avg by (pool) ({_STREAMS}) > 0)",
                "{{pool}}",
            ),
            steps=(Step(3, "red"),),
        ),
        lines(
            "Running in the engines",
            "In their batches, as they say themselves.",
            "short",
            (f"max by (pool, endpoint) (tramontane_endpoint_running{{{RP}}})", "{{endpoint}}"),
        ),
        lines(
            "Waiting in the engines",
            "Not in a batch yet. The router ought to hold requests back before engines have to.",
            "short",
            (f"max by (pool, endpoint) (tramontane_endpoint_waiting{{{RP}}})", "{{endpoint}}"),
        ),
        lines(
            "Tokens that may be held",
            "By the routers' requests: prompts, and answers at their longest. Near the KV cache's size: preemption.",
            "short",
            (f"sum by (pool, endpoint) (tramontane_endpoint_context_tokens{{{RP}}})", "{{endpoint}}"),
        ),
    ),
)

CACHE = Row(
    "Prefix caches",
    (
        lines(
            "Prompt tokens that were cached",
            "Share of prompt tokens, as engines counted. What good routing is worth.",
            "percentunit",
            (
                ratio(
                    f'tramontane_tokens_total{{{RP}, kind="cached_prompt"}}',
                    _prompts(RP),
                    "pool",
                ),
                "{{pool}}",
            ),
            most=1.0,
        ),
        lines(
            "Believed and counted",
            "Cached tokens per second as expected and as counted. The lines ought to lie on each other.",
            "short",
            (per_second(f"tramontane_expected_cached_tokens_total{{{RP}}}", "pool"), "{{pool}} believed"),
            (per_second(f'tramontane_tokens_total{{{RP}, kind="cached_prompt"}}', "pool"), "{{pool}} counted"),
        ),
        lines(
            "Blocks believed cached",
            "By engine. An engine that was replaced begins at 0.",
            "short",
            (f"max by (pool, endpoint) (tramontane_endpoint_cached_blocks{{{RP}}})", "{{endpoint}}"),
        ),
        states(
            "Cache events are heard",
            "Green: the engine itself tells what it has cached. Red: it is not heard, and its cache is guessed.",
            (f"min by (endpoint) (tramontane_endpoint_cache_exact{{{R}}})", "{{endpoint}}"),
            Step(1, "green"),
            base="red",
        ),
        lines(
            "Lost batches of cache events",
            "That could be had neither live nor again, per second; the index of that engine begins anew.",
            "short",
            (per_second(f"tramontane_kv_event_batches_lost_total{{{R}}}", "endpoint"), "{{endpoint}}"),
        ),
        lines(
            "Size of the prefix index",
            "Distinct blocks, by router; about 200 bytes each.",
            "short",
            (f"tramontane_prefix_index_blocks{{{R}}}", "{{instance}}"),
        ),
    ),
)

FORECAST = Row(
    "Forecasts and the choice",
    (
        lines(
            "First token: foretold and actual",
            "Means of attempts. Admission and balance rest on the forecast.",
            "s",
            (
                mean("tramontane_predicted_time_to_first_token_seconds", RP, "pool"),
                "{{pool}} foretold",
            ),
            (
                mean("tramontane_attempt_time_to_first_token_seconds", RP, "pool"),
                "{{pool}} actual",
            ),
        ),
        lines(
            "Bias by engine",
            "Actual to foretold time to first token, of late. One well above the others is a slow replica.",
            "none",
            (f"avg by (pool, endpoint) (tramontane_endpoint_forecast_bias{{{RP}}})", "{{endpoint}}"),
        ),
        quantiles(
            "Time to choose",
            "An engine for one request; 34 µs among 16, 153 µs among 256. The router stands still meanwhile.",
            f"tramontane_decision_seconds_bucket{{{R}}}",
            steps=(Step(0.005, "red"),),
        ),
        quantiles(
            "Error of prompt lengths",
            "Of the estimate, as a share of the tokens counted; by kind of text.",
            f"tramontane_prompt_length_error_ratio_bucket{{{RM}}}",
            "content",
            unit="percentunit",
            width=12,
        ),
        lines(
            "Estimated to counted prompt tokens",
            "Above 1 the router takes prompts for longer than they are.",
            "none",
            (
                ratio(
                    f"tramontane_estimated_prompt_tokens_total{{{RM}}}",
                    _prompts(RM),
                    "model",
                ),
                "{{model}}",
            ),
            width=12,
        ),
    ),
)
