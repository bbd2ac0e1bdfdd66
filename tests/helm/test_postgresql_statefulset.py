"""One PostgreSQL for trials: the official image, without rights, on a root that it cannot write."""

from typing import Any

from tests.helm.render import one
from tests.helm.router_pod import made, pod_of

EMBEDDED = {"database": {"embedded": {"enabled": True}}}


def pod(**embedded: Any) -> dict[str, Any]:
    objects = made({"database": {"embedded": {"enabled": True} | embedded}})
    return pod_of(objects, "StatefulSet", "tramontane-postgresql")


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    return dict(only)


def test_everything_that_it_writes_has_a_volume() -> None:
    written = {mount["mountPath"] for mount in container()["volumeMounts"] if not mount.get("readOnly")}

    assert {"/var/lib/postgresql/data", "/var/run/postgresql", "/dev/shm", "/tmp"} == written
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    assert (999, True) == (pod()["securityContext"]["runAsUser"], pod()["securityContext"]["runAsNonRoot"])
    assert pod()["automountServiceAccountToken"] is False


def test_its_password_comes_from_a_file() -> None:
    environment = {each["name"]: each["value"] for each in container()["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container()["volumeMounts"]}
    (volume,) = [volume for volume in pod()["volumes"] if "secret" in volume]

    assert f"{mounts[volume['name']]}/password" == environment["POSTGRES_PASSWORD_FILE"]
    assert "tramontane-postgresql" == volume["secret"]["secretName"]
    assert [{"key": "password", "path": "password"}] == volume["secret"]["items"]
    assert environment["PGDATA"].startswith(mounts["data"] + "/")


def test_it_is_ready_only_when_it_answers_over_the_network() -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        command = container()[probe]["exec"]["command"]
        assert "pg_isready" == command[0]
        assert "--host=127.0.0.1" in command


def test_its_volume_is_what_you_say() -> None:
    given = {"database": {"embedded": {"enabled": True, "size": "20Gi", "storageClass": "fast"}}}
    (claim,) = one(made(given), "StatefulSet")["spec"]["volumeClaimTemplates"]
    (plain,) = one(made(EMBEDDED), "StatefulSet")["spec"]["volumeClaimTemplates"]

    assert ("20Gi", "fast") == (claim["spec"]["resources"]["requests"]["storage"], claim["spec"]["storageClassName"])
    assert "storageClassName" not in plain["spec"]


def test_its_image_is_pinned() -> None:
    assert "docker.io/library/postgres:17.6-bookworm" == container()["image"]
