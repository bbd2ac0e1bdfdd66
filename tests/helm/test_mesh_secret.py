"""What routers believe each other by."""

from base64 import b64decode

from router.protocol.gossip import SMALLEST_SECRET
from tests.helm.render import one
from tests.helm.router_pod import made


def test_it_is_long_enough_and_kept() -> None:
    secret = one(made(), "Secret", "tramontane-mesh")

    assert len(b64decode(secret["data"]["secret"])) >= SMALLEST_SECRET
    assert "keep" == secret["metadata"]["annotations"]["helm.sh/resource-policy"]


def test_yours_is_taken() -> None:
    names = [it["metadata"]["name"] for it in made({"router": {"meshSecret": "mine"}})]
    assert "tramontane-mesh" not in names
