"""Where routers reach the embedded database."""

from tests.helm.render import one
from tests.helm.router_pod import made


def test_it_leads_to_its_pod() -> None:
    objects = made({"database": {"embedded": {"enabled": True}}})
    service = one(objects, "Service", "tramontane-postgresql")
    database = one(objects, "StatefulSet", "tramontane-postgresql")

    assert service["spec"]["selector"].items() <= database["spec"]["template"]["metadata"]["labels"].items()
    assert service["metadata"]["name"] == database["spec"]["serviceName"]
    assert [5432] == [port["port"] for port in service["spec"]["ports"]]


def test_without_it_there_is_none() -> None:
    assert "tramontane-postgresql" not in [it["metadata"]["name"] for it in made()]
