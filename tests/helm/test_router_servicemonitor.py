"""How Prometheus finds routers."""

from tests.helm.relabelling import ON, relabelled
from tests.helm.render import one
from tests.helm.router_pod import made


def test_nothing_is_asked_of_an_operator_that_may_not_be_there() -> None:
    kinds = {it["kind"] for it in made()}
    assert set() == kinds & {"ServiceMonitor", "PodMonitor", "PrometheusRule"}


def test_every_router_is_scraped_once_under_a_name_of_the_release() -> None:
    objects = made(ON)
    monitor = one(objects, "ServiceMonitor")

    selected = [
        it
        for it in objects
        if it["kind"] == "Service"
        and monitor["spec"]["selector"]["matchLabels"].items() <= it["metadata"]["labels"].items()
    ]
    (endpoint,) = monitor["spec"]["endpoints"]
    asked = [it["metadata"]["name"] for it in selected if endpoint["port"] in [p["name"] for p in it["spec"]["ports"]]]
    assert ["tramontane-router-peers"] == asked
    assert ("/metrics", "30s") == (endpoint["path"], endpoint["interval"])
    labels = {"job": "tramontane-router-peers", "endpoint": "metrics"}  # the second is what routers call an engine
    found = relabelled("10.0.0.1:9090", labels, endpoint["relabelings"])
    assert {"__address__": "10.0.0.1:9090", "job": "models/tramontane-router"} == found
    assert "prometheus" == monitor["metadata"]["labels"]["release"]


def test_metrics_over_tls_are_asked_for_over_tls() -> None:
    tls = {"certificate": "/etc/tramontane/secrets/c/tls.crt", "key": "/etc/tramontane/secrets/c/tls.key"}
    listen = {"tls": tls, "metrics": {"tls": True}}
    objects = made(ON, {"router": {"secrets": ["c"], "config": {"listen": listen}}})
    assert "https" == one(objects, "ServiceMonitor")["spec"]["endpoints"][0]["scheme"]
