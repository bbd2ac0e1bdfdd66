"""Migrations of an external database come before everything else; the embedded one's are the first new router's."""

from tests.helm.render import one
from tests.helm.router_pod import made, pod_of

EXTERNAL = {"database": {"external": {"secret": "db"}}}


def test_a_migration_that_fails_stops_an_upgrade_before_a_pod_changes() -> None:
    annotations = one(made(EXTERNAL), "Job", "tramontane-migrate-1")["metadata"]["annotations"]
    assert "pre-install,pre-upgrade" == annotations["helm.sh/hook"]


def test_it_needs_nothing_that_the_release_brings() -> None:
    pod = pod_of(made(EXTERNAL | {"router": {"secrets": ["ca"]}}), "Job", "tramontane-migrate-1")
    secrets = {it["secret"]["secretName"]: it["secret"]["optional"] for it in pod["volumes"] if "secret" in it}

    assert {"db": False, "ca": True} == secrets
    assert "serviceAccountName" not in pod
    assert pod["automountServiceAccountToken"] is False


def test_its_command_is_the_routers_own_migration() -> None:
    (container,) = pod_of(made(EXTERNAL), "Job", "tramontane-migrate-1")["containers"]

    assert ["python", "-m", "router"] == container["command"]
    assert ["--migrate", "--config", "/etc/tramontane/config/router.yaml"] == container["args"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_without_an_external_database_there_is_none() -> None:
    for given in ({}, {"database": {"embedded": {"enabled": True}}}):
        names = [it["metadata"]["name"] for it in made(given) if it["kind"] == "Job"]
        assert [] == [name for name in names if "migrate" in name]
