"""The key that makes the others."""

from base64 import b64decode

from router.protocol.secret import is_key
from tests.helm.render import one
from tests.helm.router_pod import made


def test_it_has_a_keys_shape_and_outlives_the_release() -> None:
    secret = one(made(), "Secret", "tramontane-management-key")

    assert is_key(b64decode(secret["data"]["management-key"]))
    assert "keep" == secret["metadata"]["annotations"]["helm.sh/resource-policy"]


def test_each_installation_makes_its_own() -> None:
    first, second = (
        one(made({"commonLabels": {"number": number}}), "Secret", "tramontane-management-key")["data"]
        for number in ("one", "two")
    )
    assert first != second


def test_yours_is_taken() -> None:
    names = [it["metadata"]["name"] for it in made({"router": {"managementKeySecret": "mine"}})]
    assert "tramontane-management-key" not in names
