"""`discovery: {kind: kubernetes}` in the configuration file: what is needed, what is refused, and what comes of it."""

from pathlib import Path
from typing import Any

import pytest

from router.config import Config, ConfigError, parse
from router.protocol.kubernetes.members import Wanted
from router.sections import KubernetesSection


def configured(**discovery: Any) -> Config:
    pool = {
        "name": "p",
        "upstream_model": "m",
        "discovery": {"kind": "kubernetes", "service": "engines", **discovery},
    }
    models = [{"id": "m", "context_length": 4096, "pools": [pool]}]
    return parse({"allow_anonymous": True, "models": models}, source="router.yaml")


def section(**discovery: Any) -> KubernetesSection:
    ((_, pool),) = configured(**discovery).pools()
    assert isinstance(pool.discovery, KubernetesSection)
    return pool.discovery


def test_in_a_pod_the_service_is_enough() -> None:
    found = section()
    access = found.access({"KUBERNETES_SERVICE_HOST": "10.96.0.1"})
    assert (None, None, None, None) == (access.url, access.namespace, access.token, access.ca_file)
    assert Wanted("engines", "") == found.wanted(access)


def test_outside_everything_is_named() -> None:
    found = section(
        namespace="serving",
        port="http",
        scheme="https",
        family="IPv6",
        api="https://east.example:6443",
        token={"env": "TOKEN"},
        ca_file="/etc/east.pem",
        watch={"resync_s": 60},
    )
    access = found.access({"TOKEN": "secret"})
    assert ("https://east.example:6443", "serving", Path("/etc/east.pem")) == (
        access.url,
        access.namespace,
        access.ca_file,
    )
    assert access.token is not None
    assert "secret" == access.token()
    assert Wanted("engines", "serving", "http", "https", "IPv6", "east.example:6443/") == found.wanted(access)
    assert 60 == found.watch.resync_s


def test_a_port_may_be_a_number_and_the_api_a_proxy_on_this_machine() -> None:
    assert 8000 == section(port=8000).port
    assert "http://127.0.0.1:8001" == section(api="http://127.0.0.1:8001", namespace="serving").api


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"service": "Engines"}, "discovery.kubernetes.service"),
        ({"service": "engines.serving"}, "discovery.kubernetes.service"),
        ({"namespace": "a/b"}, "discovery.kubernetes.namespace"),
        ({"port": 0}, "discovery.kubernetes.port"),
        ({"port": ""}, "discovery.kubernetes.port"),
        ({"scheme": "ftp"}, "discovery.kubernetes.scheme"),
        ({"family": "ipv4"}, "discovery.kubernetes.family"),
        ({"api": "https://a.example/path", "namespace": "n"}, "discovery.kubernetes.api"),
        ({"api": "http://10.0.0.1:8001", "namespace": "n"}, "api: must begin with https://, or be on this machine"),
        ({"api": "https://a.example"}, "namespace: set it beside api"),
        ({"watch": {"idle_s": 0}}, "idle_s must be above 0 seconds"),
        ({"servce": "x"}, "servce"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as told:
        configured(**wrong)
    assert words in str(told.value)
