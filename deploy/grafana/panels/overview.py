"""The first page: are the promises kept, what is asked, how long does it take, what does it cost?"""

from deploy.grafana.model import Dashboard, Row, Step, heat, lines, number, quantiles, states
from deploy.grafana.panels.common import COST_OF_KEYS, INSTANCE, JOB, MODEL, RM, R, cost, per_second

_FIRING = 'ALERTS{alertname=~"Tramontane.+", alertstate="firing"}'

_PROMISES = Row(
    "Promises",
    (
        number(
            "Available, last hour",
            "Share of requests without a 5xx of ours; callers who left and early refusals with 4xx do not count.",
            "percentunit",
            'min(1 - tramontane:availability_errors:ratio_rate1h{job=~"$job"})',
            Step(0.99, "orange"),
            Step(0.999, "green"),
            base="red",
            decimals=3,  # 99.95 % is no 100 %
        ),
        number(
            "Budget burnt, times",
            "How many times as fast as allowed the error budget is used up, last hour. 14.4 pages; 1 lasts 30 days.",
            "none",
            'max(tramontane:availability_errors:ratio_rate1h{job=~"$job"})'
            " / scalar(1 - tramontane:slo_availability:objective)",
            Step(1, "yellow"),
            Step(6, "orange"),
            Step(14.4, "red"),
        ),
        number(
            "First tokens in time",
            "Share of answers of the last hour whose first token came within the promised time; the worst model's.",
            "percentunit",
            'min(1 - tramontane:ttft_late:ratio_rate1h{job=~"$job", model=~"$model"})',
            Step(0.85, "orange"),
            Step(0.95, "green"),
            base="red",
            decimals=1,
        ),
        number(
            "Engines up",
            "Engines that answer some router's probes, as a share of those that discovery names.",
            "percentunit",
            'avg(max by (pool, endpoint) (tramontane_endpoint_up{job=~"$job"}))',
            Step(0.5, "orange"),
            Step(1, "green"),
            base="red",
        ),
        number(
            "Cost, last hour",
            "Of answers, at the pools' prices, in US dollars.",
            "currencyUSD",
            f"sum(increase(tramontane_cost_usd_total{{{RM}}}[1h]))",
            base="blue",
            decimals=2,
        ),
        number(
            "Alerts firing",
            "Of these rules, at this moment; which they are stands below.",
            "none",
            f"count({_FIRING}) or vector(0)",
            Step(1, "orange"),
        ),
        states(
            "Alerts",
            "Each alert that was firing, and when.",
            (f"max by (alertname) ({_FIRING})", "{{alertname}}"),
            Step(1, "red"),
            width=24,
            height=4,
        ),
    ),
)

_TRAFFIC = Row(
    "Traffic",
    (
        lines(
            "Requests by how they ended",
            "rejected: the caller's fault. overloaded, rate_limited: back-pressure. The rest are failures, numbers "
            "refusals before parsing.",
            "reqps",
            (per_second(f"tramontane_requests_total{{{RM}}}", "status"), "{{status}}"),
            width=12,
            stacked=True,
        ),
        lines(
            "Requests by model",
            "unknown: a model that is not in the catalogue, or a request that never got a pool.",
            "reqps",
            (per_second(f"tramontane_requests_total{{{RM}}}", "model"), "{{model}}"),
            width=6,
            stacked=True,
        ),
        lines(
            "Requests in the routers",
            "From parsing to the last byte. One router with far more than the others: look at the balancer in front.",
            "short",
            (f"sum by (instance) (tramontane_requests_in_flight{{{R}}})", "{{instance}}"),
            width=6,
            stacked=True,
        ),
    ),
)

_TIME = Row(
    "Time",
    (
        quantiles(
            "Time to first token",
            "From a request's arrival to the first byte of the answer, all attempts and waiting included.",
            f"tramontane_time_to_first_token_seconds_bucket{{{RM}}}",
            steps=(Step(2, "red"),),
        ),
        quantiles(
            "Time per output token",
            "After the first, the mean of each stream. 100 ms are ten tokens a second: slower than people read.",
            f"tramontane_time_per_output_token_seconds_bucket{{{RM}}}",
            steps=(Step(0.1, "red"),),
        ),
        quantiles(
            "Whole answers",
            "From arrival to the last byte: mostly as long as answers are.",
            f"tramontane_request_duration_seconds_bucket{{{RM}}}",
        ),
        heat(
            "Time to first token, all requests",
            "Two bands: prompts that were cached and prompts that were not. A band that climbs is a queue.",
            "s",
            per_second(f"tramontane_time_to_first_token_seconds_bucket{{{RM}}}", "le"),
        ),
    ),
)

_MONEY = Row(
    "Tokens and money",
    (
        lines(
            "Tokens",
            "As engines counted them. cached_prompt costs them next to nothing.",
            "short",
            (per_second(f"tramontane_tokens_total{{{RM}}}", "kind"), "{{kind}} per second"),
            stacked=True,
        ),
        cost("model", "US dollars an hour at the present rate."),
        cost("key", COST_OF_KEYS),
    ),
)

_POOLS = Row(
    "Pools",
    (
        lines(
            "Engines up by pool",
            "That answer some router's probes. A pool at 0 is an outage, or scaled to zero.",
            "short",
            ('sum by (pool) (max by (pool, endpoint) (tramontane_endpoint_up{job=~"$job"}))', "{{pool}}"),
        ),
        lines(
            "Requests that wait",
            "In the routers, for a turn or for a pool's first engine. Standing queues mean too few engines.",
            "short",
            (f"sum by (pool) (tramontane_queue_length{{{R}}})", "{{pool}}"),
            stacked=True,
        ),
        lines(
            "Refused for want of engines",
            "deadline: none could begin in time. queue_full, queue_timeout: too many waited, or too long.",
            "reqps",
            (per_second(f"tramontane_unsent_total{{{RM}}}", "reason"), "{{reason}}"),
            stacked=True,
        ),
        lines(
            "Attempts by pool",
            "What is sent where. A provider's pool that takes over shows here before it shows in the bill.",
            "reqps",
            (per_second(f"tramontane_attempts_total{{{R}}}", "pool"), "{{pool}}"),
            width=12,
            stacked=True,
        ),
        lines(
            "Requests per engine",
            "Of all routers, per engine that answers: what engines are scaled by.",
            "short",
            ('tramontane:pool_streams:per_endpoint{job=~"$job"}', "{{pool}}"),
            width=12,
        ),
    ),
)

OVERVIEW = Dashboard(
    uid="tramontane-overview",
    title="Tramontane / Overview",
    description="Are the promises kept, what is asked, how long does it take, what does it cost?",
    variables=(JOB, INSTANCE, MODEL),
    rows=(_PROMISES, _TRAFFIC, _TIME, _MONEY, _POOLS),
)
