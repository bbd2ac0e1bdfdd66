"""How the configuration in force came to be, as Prometheus series, read at scrape time."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from router.reload import Reloader
from router.reload_sections import NEEDS_RESTART


def reload_series(reloader: Reloader, former: int) -> Iterator[Metric]:
    """`former`: configurations that were in force, and still have requests."""
    reloads = CounterMetricFamily(
        "tramontane_config_reloads", "Changed configurations, by what became of them.", labels=["outcome"]
    )
    reloads.add_metric(["taken"], reloader.taken)
    reloads.add_metric(["refused"], reloader.refused)
    restart = GaugeMetricFamily(
        "tramontane_config_needs_restart",
        "1 for each section that the file has otherwise than it is in force, until a restart.",
        labels=["section"],
    )
    for section in NEEDS_RESTART:
        restart.add_metric([section], float(section in reloader.needs_restart))
    yield from (
        reloads,
        GaugeMetricFamily(
            "tramontane_config_last_reload_successful",
            "0 if the file as it is was refused, and the one before is in force.",
            float(reloader.refusal is None),
        ),
        GaugeMetricFamily(
            "tramontane_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was taken over, or the router started with it.",
            reloader.taken_at,
        ),
        InfoMetricFamily("tramontane_config", "The configuration in force.", {"hash": reloader.current.digest[:16]}),
        restart,
        GaugeMetricFamily(
            "tramontane_config_former", "Configurations no longer in force that still have requests.", float(former)
        ),
    )
