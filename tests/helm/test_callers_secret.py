"""Keys of callers where there is no database."""

from base64 import b64decode

from router.protocol.secret import is_key
from tests.helm.render import one
from tests.helm.router_pod import made


def test_every_caller_has_a_key_of_its_own() -> None:
    data = one(made({"router": {"callers": ["a", "b.c"]}}), "Secret", "tramontane-callers")["data"]

    assert ["a", "b.c"] == list(data)
    assert all(is_key(b64decode(key)) for key in data.values())
    assert 2 == len(set(data.values()))


def test_with_a_database_or_a_secret_of_yours_none_is_made() -> None:
    for given in (
        {"database": {"embedded": {"enabled": True}}},
        {"database": {"external": {"secret": "db"}}},
        {"router": {"config": {"database": {"url": {"env": "URL"}}}}},
        {"router": {"callersSecret": "mine"}},
    ):
        assert "tramontane-callers" not in [it["metadata"]["name"] for it in made(given)]
