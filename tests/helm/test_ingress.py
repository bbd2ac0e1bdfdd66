"""Every controller passes streams on at once, waits long enough and takes what the router takes."""

from typing import Any

import pytest

from router.batches.settings import BatchSettings
from router.protocol.limits import Limits
from router.store.files_settings import FilesSettings
from tests.helm.render import one
from tests.helm.router_pod import made, router_file

MIB = 1_048_576
ON = {"ingress": {"enabled": True, "host": "llm.example.org"}}
DATABASE = {"database": {"external": {"secret": "db"}}}


def annotations(controller: str, *more: dict[str, Any]) -> dict[str, str]:
    found = one(made(ON, {"ingress": {"controller": controller}}, *more), "Ingress")
    return dict(found["metadata"].get("annotations", {}))


def test_nginx_buffers_neither_way_and_waits() -> None:
    told = annotations("nginx")
    of = "nginx.ingress.kubernetes.io"

    assert ("off", "off") == (told[f"{of}/proxy-buffering"], told[f"{of}/proxy-request-buffering"])
    assert ("3600", "3600") == (told[f"{of}/proxy-read-timeout"], told[f"{of}/proxy-send-timeout"])
    assert ("False", "3600s") == (told["nginx.org/proxy-buffering"], told["nginx.org/proxy-read-timeout"])


def test_haproxy_waits() -> None:
    told = annotations("haproxy")
    assert {"3600s"} == {told["haproxy.org/timeout-server"], told["haproxy-ingress.github.io/timeout-server"]}


def test_traefik_needs_to_know_of_tls_alone() -> None:
    assert {} == annotations("traefik")
    assert {"traefik.ingress.kubernetes.io/router.tls": "true"} == annotations(
        "traefik", {"ingress": {"tlsSecret": "tls"}}
    )


def test_alb_lets_running_answers_end_and_asks_for_readiness() -> None:
    told = annotations("alb", {"router": {"drain": {"leaveSeconds": 30, "drainSeconds": 300}}})
    of = "alb.ingress.kubernetes.io"

    assert "deregistration_delay.timeout_seconds=330" == told[f"{of}/target-group-attributes"]
    assert ("ip", "9090", "/readyz") == (
        told[f"{of}/target-type"],
        told[f"{of}/healthcheck-port"],
        told[f"{of}/healthcheck-path"],
    )


def test_a_router_keeps_idle_connections_longer_than_alb_does() -> None:
    objects = made(ON, {"ingress": {"controller": "alb"}})
    attributes = one(objects, "Ingress")["metadata"]["annotations"][
        "alb.ingress.kubernetes.io/load-balancer-attributes"
    ]

    assert router_file(objects)["listen"]["keep_alive_s"] > int(
        attributes.removeprefix("idle_timeout.timeout_seconds=")
    )
    assert "keep_alive_s" not in router_file(made())["listen"]


@pytest.mark.parametrize(
    ("more", "largest"),
    [
        ({}, Limits().body_bytes),
        (DATABASE, max(FilesSettings().file_bytes, BatchSettings().submit_bytes)),
        ({"router": {"config": {"limits": {"body_bytes": 64 * MIB + 1}}}}, 64 * MIB + 1),
        (DATABASE | {"router": {"config": {"stored_files": {"file_bytes": 300 * MIB}}}}, 300 * MIB),
    ],
)
def test_what_the_router_takes_is_let_through(more: dict[str, Any], largest: int) -> None:
    for controller, key in (
        ("nginx", "nginx.ingress.kubernetes.io/proxy-body-size"),
        ("nginx", "nginx.org/client-max-body-size"),
        ("haproxy", "haproxy-ingress.github.io/proxy-body-size"),
    ):
        size = annotations(controller, more)[key]
        assert largest < int(size.removesuffix("m")) * MIB <= largest + 2 * MIB


def test_yours_go_above_them_and_none_leaves_yours_alone() -> None:
    key = "nginx.ingress.kubernetes.io/proxy-read-timeout"
    assert "60" == annotations("nginx", {"ingress": {"annotations": {key: "60"}}})[key]
    assert {"a": "b"} == annotations("none", {"ingress": {"annotations": {"a": "b"}}})


def test_it_leads_to_inference_alone() -> None:
    given = {"ingress": {"enabled": True, "className": "nginx", "host": "llm.example.org", "tlsSecret": "tls"}}
    spec = one(made(given), "Ingress")["spec"]

    assert "nginx" == spec["ingressClassName"]
    assert [{"secretName": "tls", "hosts": ["llm.example.org"]}] == spec["tls"]
    (rule,) = spec["rules"]
    assert "llm.example.org" == rule["host"]
    (path,) = rule["http"]["paths"]
    assert {"name": "tramontane-router", "port": {"name": "http"}} == path["backend"]["service"]


@pytest.mark.parametrize("controller", ["nginx", "haproxy", "alb"])
def test_a_router_with_a_certificate_is_spoken_to_by_tls(controller: str) -> None:
    tls = {"certificate": "/etc/tramontane/secrets/tls/tls.crt", "key": "/etc/tramontane/secrets/tls/tls.key"}
    told = annotations(controller, {"router": {"secrets": ["tls"], "config": {"listen": {"tls": tls}}}})

    assert any("protocol" in key or key.endswith("server-ssl") for key in told)


def test_it_is_off_by_default() -> None:
    assert [] == [it for it in made() if it["kind"] == "Ingress"]
