"""What comes in, what is refused before anybody works on it, and what the router process itself uses."""

from deploy.grafana.model import Dashboard, Row, Step, lines, quantiles, states
from deploy.grafana.panels.common import INSTANCE, JOB, RATE, R, per_second

_ROUTERS = "and on (job, instance) tramontane_requests_in_flight"

_DOOR = Row(
    "Connections",
    (
        lines(
            "Connections",
            "Of clients on all ports. refused: about to be closed.",
            "short",
            (f"sum by (state) (tramontane_connections{{{R}}})", "{{state}}"),
            stacked=True,
        ),
        lines(
            "Share of the connections that may be",
            "By router. At 1 the longest idle makes room, and when all are busy the next gets 503.",
            "percentunit",
            (
                'tramontane:router_connections:ratio{job=~"$job", instance=~"$instance"}',
                "{{instance}}",
            ),
            most=1.0,
            steps=(Step(0.8, "red"),),
        ),
        lines(
            "Refused at the door",
            "Before the application heard of them, by reason. slow_*: took too long. bad_*: no proper HTTP.",
            "reqps",
            (per_second(f"tramontane_connections_refused_total{{{R}}}", "reason"), "{{reason}}"),
            stacked=True,
        ),
    ),
)

_LIMITS = Row(
    "Limits",
    (
        lines(
            "Refused before they were parsed",
            "By status: 400 malformed, 401 unknown key, 402 and 429 a key's limits, 413 too large, 503 no room.",
            "reqps",
            (per_second(f'tramontane_requests_total{{{R}, kind="unparsed"}}', "status"), "{{status}}"),
            stacked=True,
        ),
        lines(
            "Beyond a limit",
            "By the limit's name; room_*: the router itself was full.",
            "reqps",
            (per_second(f"tramontane_beyond_limits_total{{{R}}}", "limit"), "{{limit}}"),
            stacked=True,
        ),
        lines(
            "Requests in the room",
            "From their headers on; 4,096 may be.",
            "short",
            (f"tramontane_room_requests{{{R}}}", "{{instance}}"),
            width=4,
        ),
        lines(
            "Bodies in the room",
            "Kept until their requests are over; 1 GiB may be.",
            "bytes",
            (f"tramontane_room_body_bytes{{{R}}}", "{{instance}}"),
            width=4,
        ),
    ),
)

_RELOADS = Row(
    "Certificates and configuration",
    (
        lines(
            "Changes of certificates",
            "In six hours. refused: the old one is still shown.",
            "short",
            (f"sum by (outcome) (increase(tramontane_tls_reloads_total{{{R}}}[6h]))", "{{outcome}}"),
        ),
        lines(
            "Changes of the configuration",
            "In six hours. refused: the old one still holds.",
            "short",
            (f"sum by (outcome) (increase(tramontane_config_reloads_total{{{R}}}[6h]))", "{{outcome}}"),
        ),
        states(
            "Needs a restart",
            "Sections whose changes a running router cannot take; empty when all is well.",
            (f"max by (section) (tramontane_config_needs_restart{{{R}}}) > 0", "{{section}}"),
            Step(1, "red"),
            width=4,
        ),
        lines(
            "Age of the configuration",
            "Since it was taken over; routers that start later have younger ones.",
            "s",
            (f"time() - tramontane_config_last_reload_success_timestamp_seconds{{{R}}}", "{{instance}}"),
            width=4,
        ),
        lines(
            "Certificates expire in",
            "The first of the chain that is shown. A new file is taken over within seconds, without a restart.",
            "s",
            (f"tramontane_tls_certificate_not_after_timestamp_seconds{{{R}}} - time()", "{{instance}}"),
            width=4,
        ),
    ),
)

_MEDIA = Row(
    "Pictures and documents",
    (
        lines(
            "Pictures fetched",
            "By result. address_refused: somebody asks for what lies inside.",
            "reqps",
            (per_second(f"tramontane_media_fetches_total{{{R}}}", "result"), "{{result}}"),
            stacked=True,
        ),
        lines(
            "Bytes of pictures",
            "Bytes fetched per second.",
            "Bps",
            (per_second(f"tramontane_media_bytes_total{{{R}}}"), "fetched"),
            width=4,
        ),
        lines(
            "Found again",
            "Pictures per second that had been fetched before.",
            "ops",
            (per_second(f"tramontane_media_cache_hits_total{{{R}}}"), "found again"),
            width=4,
        ),
        quantiles(
            "Time to fetch",
            "A picture, redirects included.",
            f"tramontane_media_fetch_seconds_bucket{{{R}}}",
        ),
        lines(
            "Documents",
            "By result. busy: no process was free to read it.",
            "reqps",
            (per_second(f"tramontane_files_total{{{R}}}", "result"), "{{result}}"),
            stacked=True,
        ),
        lines(
            "Pages read",
            "Of documents, per second.",
            "ops",
            (per_second(f"tramontane_file_pages_total{{{R}}}"), "pages"),
        ),
        quantiles(
            "Time to read a document",
            "Waiting for a process and fetching included.",
            f"tramontane_file_seconds_bucket{{{R}}}",
        ),
    ),
)

_PROCESS = Row(
    "The router process",
    (
        lines(
            "Processor",
            "Share of the one core that a router can use. Above 80 % each request waits for those before it.",
            "percentunit",
            ('tramontane:router_event_loop:utilisation{job=~"$job", instance=~"$instance"}', "{{instance}}"),
            width=6,
            steps=(Step(0.8, "red"),),
        ),
        lines(
            "Memory",
            "Resident. 70 MB when idle, some 30 MB for 1,000 open streams, bodies and the prefix index.",
            "bytes",
            (f"process_resident_memory_bytes{{{R}}} {_ROUTERS}", "{{instance}}"),
            width=6,
        ),
        lines(
            "Open files",
            "Share of what it may have: connections of clients and to engines.",
            "percentunit",
            (f"process_open_fds{{{R}}} / process_max_fds{{{R}}} {_ROUTERS}", "{{instance}}"),
            width=6,
            most=1.0,
            steps=(Step(0.8, "red"),),
        ),
        lines(
            "Garbage collections",
            "Of the oldest generation, per second. The router stands still meanwhile.",
            "ops",
            (f'rate(python_gc_collections_total{{{R}, generation="2"}}{RATE}) {_ROUTERS}', "{{instance}}"),
            width=6,
        ),
    ),
)

FRONT_DOOR = Dashboard(
    uid="tramontane-front-door",
    title="Tramontane / Front door",
    description="What comes in, what is refused before anybody works on it, and what the router process uses.",
    variables=(JOB, INSTANCE),
    rows=(_DOOR, _LIMITS, _RELOADS, _MEDIA, _PROCESS),
)
