"""The embedded database's password, and its address with it."""

from base64 import b64decode

from router.store.url import Kind, parse
from tests.helm.render import one
from tests.helm.router_pod import made

EMBEDDED = {"database": {"embedded": {"enabled": True}}}


def test_the_address_holds_the_password_and_is_one_that_routers_take() -> None:
    secret = one(made(EMBEDDED), "Secret", "tramontane-postgresql")
    password, url = (b64decode(secret["data"][key]).decode() for key in ("password", "url"))

    assert f"postgresql://tramontane:{password}@tramontane-postgresql:5432/tramontane" == url
    assert Kind.POSTGRESQL is parse(url).kind
    assert len(password) >= 32
    assert "keep" == secret["metadata"]["annotations"]["helm.sh/resource-policy"]


def test_without_it_there_is_none() -> None:
    assert "tramontane-postgresql" not in [it["metadata"]["name"] for it in made()]
