"""Who gets what, and is the choice any good? Here: what happens after it, failures, the waiting, the mesh."""

from deploy.grafana.model import Dashboard, Row, Step, lines, number, quantiles, states
from deploy.grafana.panels.choice import BALANCE, CACHE, FORECAST
from deploy.grafana.panels.common import INSTANCE, JOB, MODEL, POOL, RATE, RP, R, per_second, ratio

_FAILURES = Row(
    "Failures and second tries",
    (
        lines(
            "Attempts by verdict",
            "unavailable, timeout and broken speak against an engine; rate_limited and overloaded are back-pressure.",
            "reqps",
            (per_second(f"tramontane_attempts_total{{{RP}}}", "verdict"), "{{verdict}}"),
            stacked=True,
        ),
        lines(
            "Retries",
            "Share of attempts. At a fifth the retry budget is used up, and callers see the errors.",
            "percentunit",
            (
                ratio(f"tramontane_retries_total{{{RP}}}", f"tramontane_attempts_total{{{RP}}}", "pool"),
                "{{pool}}",
            ),
            steps=(Step(0.05, "orange"), Step(0.2, "red")),
        ),
        lines(
            "Hedges",
            "Second attempts beside a late one, as a share of attempts; at most 2 in 100.",
            "percentunit",
            (
                ratio(f"tramontane_hedges_total{{{RP}}}", f"tramontane_attempts_total{{{RP}}}", "pool"),
                "{{pool}}",
            ),
        ),
        states(
            "Breakers",
            "Green closed, yellow half-open, red open: nothing is sent there. The worst of all routers.",
            (f"max by (pool, endpoint) (tramontane_endpoint_breaker_open{{{RP}}})", "{{endpoint}}"),
            Step(0.5, "yellow"),
            Step(1, "red"),
            width=12,
        ),
        states(
            "Probes",
            "Green: some router's last probe was answered. Red: none's.",
            (f"max by (pool, endpoint) (tramontane_endpoint_up{{{RP}}})", "{{endpoint}}"),
            Step(1, "green"),
            base="red",
            width=12,
        ),
        lines(
            "At providers",
            "Requests under way at providers that are not yours.",
            "short",
            (f"sum by (provider) (tramontane_provider_requests{{{R}}})", "{{provider}}"),
            width=12,
        ),
        lines(
            "Beyond a provider's allotment",
            "Not sent, because what the provider may have was used up.",
            "reqps",
            (per_second(f"tramontane_provider_beyond_allotment_total{{{R}}}", "provider"), "{{provider}}"),
            width=12,
        ),
    ),
)

_WAITING = Row(
    "Waiting",
    (
        lines(
            "Requests that wait, by priority",
            "In the routers. batch waits first and longest; critical hardly at all.",
            "short",
            (f"sum by (priority) (tramontane_queue_length{{{RP}}})", "{{priority}}"),
            stacked=True,
        ),
        lines(
            "Prompt tokens that wait",
            "Of those requests: what the engines will have to compute.",
            "short",
            (f"sum by (pool) (tramontane_queue_tokens{{{RP}}})", "{{pool}}"),
            stacked=True,
        ),
        quantiles(
            "How long requests waited",
            "Of those that had to wait, however it ended.",
            f"tramontane_queue_wait_seconds_bucket{{{RP}}}",
        ),
    ),
)

_MESH = Row(
    "Routers among themselves",
    (
        number(
            "Routers heard, least",
            "The fewest that any router hears, itself included; equal to their number when all is well.",
            "none",
            'min(tramontane_mesh_routers{job=~"$job"})',
            base="blue",
            height=8,
        ),
        lines(
            "Routers heard",
            "By each router. Lines that differ: some cannot hear others.",
            "short",
            (f"tramontane_mesh_routers{{{R}}}", "{{instance}}"),
            width=7,
        ),
        states(
            "Alone",
            "Red: knows of others and hears none.",
            (f"tramontane_mesh_alone{{{R}}}", "{{instance}}"),
            Step(1, "red"),
            width=6,
        ),
        lines(
            "Datagrams",
            "Per second; a router sends 20 to each other.",
            "pps",
            (per_second(f"tramontane_mesh_datagrams_total{{{R}}}", "direction"), "{{direction}}"),
            width=7,
        ),
        lines(
            "Datagrams that counted for nothing",
            "signature: another secret. version: another release. old: late or repeated. crowded: too much at once.",
            "pps",
            (per_second(f"tramontane_mesh_dropped_datagrams_total{{{R}}}", "reason"), "{{reason}}"),
            width=12,
        ),
        lines(
            "What did not fit",
            "Pieces of prompts that waited too long; endpoints and accounts that no datagram had room for. Per second.",
            "short",
            (f"sum(rate(tramontane_mesh_dropped_inserts_total{{{R}}}{RATE}))", "pieces of prompts"),
            (f"sum(rate(tramontane_mesh_left_out_total{{{R}}}{RATE}))", "endpoints and accounts"),
            width=12,
        ),
    ),
)

ROUTING = Dashboard(
    uid="tramontane-routing",
    title="Tramontane / Routing",
    description="Who gets what, and is the choice any good?",
    variables=(JOB, INSTANCE, MODEL, POOL),
    rows=(BALANCE, CACHE, FORECAST, _FAILURES, _WAITING, _MESH),
)
