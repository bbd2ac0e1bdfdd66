"""What Ray's processes, KubeRay and the routers show each other."""

from base64 import b64decode

from serving.cluster import TOKEN_CHARS
from tests.helm.render import one
from tests.helm.router_pod import made


def test_it_cannot_be_guessed_and_is_kept() -> None:
    secret = one(made(), "Secret", "tramontane-ray-token")

    assert len(b64decode(secret["data"]["auth_token"])) >= TOKEN_CHARS
    assert "keep" == secret["metadata"]["annotations"]["helm.sh/resource-policy"]


def test_yours_is_taken() -> None:
    names = [it["metadata"]["name"] for it in made({"ray": {"tokenSecret": "mine"}})]
    assert "tramontane-ray-token" not in names
