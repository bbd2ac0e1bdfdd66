"""Where routers find each other."""

from router.upstream.peers import host_and_port
from tests.helm.render import one
from tests.helm.router_pod import made, router_file


def test_every_router_is_found_while_it_lives() -> None:
    objects = made()
    service = one(objects, "Service", "tramontane-router-peers")

    assert ("None", True) == (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"])
    host, port = host_and_port(router_file(objects)["mesh"]["gossip"]["dns"])
    assert service["metadata"]["name"] == host
    gossip = next(it for it in service["spec"]["ports"] if it["name"] == "gossip")
    assert ("UDP", port) == (gossip["protocol"], gossip["port"])


def test_each_ones_metrics_can_be_read() -> None:
    service = one(made(), "Service", "tramontane-router-peers")
    assert ("metrics", 9090) in [(port["name"], port["port"]) for port in service["spec"]["ports"]]
