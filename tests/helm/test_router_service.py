"""Where callers reach the routers."""

from tests.helm.render import one
from tests.helm.router_pod import made, pod_of


def test_it_leads_to_the_routers_and_names_their_ports() -> None:
    objects = made({"service": {"port": 8000, "annotations": {"a": "b"}}})
    service = one(objects, "Service", "tramontane-router")

    assert [("http", 8000, "http"), ("admin", 8081, "admin")] == [
        (port["name"], port["port"], port["targetPort"]) for port in service["spec"]["ports"]
    ]
    assert "b" == service["metadata"]["annotations"]["a"]
    labels = one(objects, "Deployment", "tramontane-router")["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    names = {port["name"]: port["containerPort"] for port in pod_of(objects)["containers"][0]["ports"]}
    assert {"http": 8080, "admin": 8081, "gossip": 8082, "metrics": 9090} == names


def test_administration_is_not_reached_from_outside() -> None:
    for kind in ("LoadBalancer", "NodePort"):
        service = one(made({"service": {"type": kind}}), "Service", "tramontane-router")
        assert ["http"] == [port["name"] for port in service["spec"]["ports"]]


def test_no_caller_is_bound_to_a_router() -> None:
    assert "None" == one(made(), "Service", "tramontane-router")["spec"]["sessionAffinity"]


def test_a_router_with_a_certificate_is_spoken_to_by_tls() -> None:
    tls = {"certificate": "/etc/tramontane/secrets/tls/tls.crt", "key": "/etc/tramontane/secrets/tls/tls.key"}
    plain = one(made(), "Service", "tramontane-router")
    given = {"router": {"secrets": ["tls"], "config": {"listen": {"tls": tls}}}}
    secure = one(made(given), "Service", "tramontane-router")

    assert ("http", "https") == tuple(service["spec"]["ports"][0]["appProtocol"] for service in (plain, secure))
