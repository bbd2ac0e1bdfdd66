"""The migration reaches an external database, as routers do."""

from tests.helm.policies import Outside
from tests.helm.policy_world import MIGRATE, PLAIN, ROUTER, WORKER, WORLD, asks_for_names, of, ways


def test_an_external_database_is_for_routers_and_the_migration() -> None:
    found = of(
        PLAIN, database__embedded__enabled=False, database__external__secret="db", networkPolicy__databasePort=6432
    )
    database = Outside("10.7.7.7")
    assert [True, True, False, False, False] == ways(
        found,
        (ROUTER, database, 6432),
        (MIGRATE, database, 6432),
        (WORKER, database, 6432),
        (MIGRATE, WORLD, 443),
        (ROUTER, database, 5432),
    )


def test_it_asks_for_names() -> None:
    external = {"embedded": {"enabled": False}, "external": {"secret": "db"}}
    assert asks_for_names(of(PLAIN, {"database": external}), MIGRATE)
