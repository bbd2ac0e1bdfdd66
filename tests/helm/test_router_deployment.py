"""The routers' pods: how they start, are watched, change and end."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from router.reload_sections import NEEDS_RESTART
from tests.helm.render import CHART, one
from tests.helm.router_pod import POCKET, made, pod_of, router_file

REPOSITORY = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"
ELSEWHERE = {
    "name": "elsewhere",
    "upstream_model": "e",
    "discovery": {"kind": "static", "endpoints": ["http://10.0.0.7:8000"]},
}
ON_A_VOLUME = {
    "engines": {"m": {"deployment": {"model": "mistral-small-3.1-24b", "preset": "h100"}}},
    "weights": {
        "enabled": True,
        "download": {"models": [{"repository": REPOSITORY, "folder": "m", "revision": "a" * 40}]},
    },
}


def with_pocket(**router: Any) -> dict[str, Any]:
    return {"engines": {"pocket": POCKET}, "router": router}


def template(given: dict[str, Any]) -> dict[str, Any]:
    pods: dict[str, Any] = one(made(given), "Deployment", "tramontane-router")["spec"]["template"]
    return pods


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


def test_the_grace_period_has_room_for_leaving_draining_and_the_last_rows() -> None:
    given = with_pocket(drain={"leaveSeconds": 20, "drainSeconds": 600})
    assert 20 + 600 + 30 == template(given)["spec"]["terminationGracePeriodSeconds"]


def test_the_grace_period_follows_the_routers_own_file() -> None:
    given = with_pocket(config={"listen": {"leave_s": 2.5, "drain_s": 60}})
    assert 93 == template(given)["spec"]["terminationGracePeriodSeconds"]


def test_readiness_is_seen_to_end_before_a_router_takes_no_more() -> None:
    objects = made(with_pocket())
    probe = container(pod_of(objects))["readinessProbe"]

    assert {"path": "/readyz", "port": "metrics"} == probe["httpGet"]
    noticed = (probe["periodSeconds"] + probe["timeoutSeconds"]) * probe["failureThreshold"]
    assert noticed < router_file(objects)["listen"]["leave_s"]


def test_a_start_may_last_as_long_as_migrations_do() -> None:
    config = {"database": {"url": {"env": "URL"}, "limits": {"migrate_s": 1800}}}
    probe = container(template(with_pocket(config=config))["spec"])["startupProbe"]

    assert {"path": "/healthz", "port": "metrics"} == probe["httpGet"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 1800 + 60


def test_a_loop_that_hangs_is_killed_soon() -> None:
    probe = container(template(with_pocket())["spec"])["livenessProbe"]

    assert {"path": "/healthz", "port": "metrics"} == probe["httpGet"]
    assert 60 >= probe["periodSeconds"] * probe["failureThreshold"] + probe["terminationGracePeriodSeconds"]


def test_probes_speak_tls_where_the_metrics_port_does() -> None:
    tls = {"certificate": "/etc/tramontane/secrets/tls/tls.crt", "key": "/etc/tramontane/secrets/tls/tls.key"}
    listen = {"tls": tls, "metrics": {"tls": True}}
    pod = template(with_pocket(secrets=["tls"], config={"listen": listen}))["spec"]

    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert "HTTPS" == container(pod)[probe]["httpGet"]["scheme"]


@pytest.mark.parametrize(
    "change",
    [
        {"models": [{"id": "x", "context_length": 1, "pools": [ELSEWHERE]}]},
        {"config": {"admission": {"first_token_s": 5}}},
        {"config": {"log": {"level": "debug"}}},
        {"config": {"kv_events": {"vocabulary": "/opt/tekken.json"}}},
        {"config": {"room": {"requests": 9}}},
    ],
)
def test_what_running_routers_read_anew_replaces_no_pods(change: dict[str, Any]) -> None:
    assert template(with_pocket()) == template(with_pocket(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"listen": {"backlog": 4096}}},
        {"config": {"front": {"headers": 50}}},
        {"config": {"mesh": {"gossip": {"max_peers": 8}}}},
        {"config": {"database": {"url": {"env": "URL"}}}},
        {"config": {"routing": {"prefix": {"max_blocks": 2_000_000}}}},
        {"config": {"log": {"access": True}}},
        {"callers": ["first", "second"]},
    ],
)
def test_what_only_a_start_reads_replaces_the_pods(change: dict[str, Any]) -> None:
    assert template(with_pocket()) != template(with_pocket(**change))


def test_a_new_version_of_the_chart_alone_replaces_no_pods() -> None:
    labels = template(with_pocket())["metadata"]["labels"]
    assert "helm.sh/chart" not in labels


def test_what_changes_in_a_mounted_folder_arrives() -> None:
    mounts = container(template(with_pocket())["spec"])["volumeMounts"]

    assert "/etc/tramontane/config" in [mount["mountPath"] for mount in mounts]
    assert [] == [mount for mount in mounts if "subPath" in mount]


def test_secrets_are_mounted_key_by_key_and_for_the_router_alone() -> None:
    given = with_pocket() | {"database": {"embedded": {"enabled": True}}}
    volumes = template(given)["spec"]["volumes"]
    secrets = {it["secret"]["secretName"]: it["secret"] for it in volumes if "secret" in it}

    assert {
        "tramontane-management-key": ["management-key"],
        "tramontane-mesh": ["secret"],
        "tramontane-postgresql": ["url"],  # its password is for PostgreSQL
        "tramontane-ray-token": ["auth_token"],
    } == {name: [item["key"] for item in secret["items"]] for name, secret in secrets.items()}
    assert {0o440} == {secret["defaultMode"] for secret in secrets.values()}


def test_a_secret_that_is_named_twice_is_mounted_once_and_whole() -> None:
    given = with_pocket(secrets=["all", "tls"], managementKeySecret="all", meshSecret="all")
    pod = template(given)["spec"]

    secrets = [it["secret"] for it in pod["volumes"] if "secret" in it]
    assert ["tramontane-callers", "tramontane-ray-token", "all", "tls"] == [it["secretName"] for it in secrets]
    assert "items" not in secrets[2]
    paths = [mount["mountPath"] for mount in container(pod)["volumeMounts"]]
    assert len(paths) == len(set(paths))


def test_a_token_for_the_api_server_is_there_only_where_it_is_asked() -> None:
    discovery = {"kind": "kubernetes", "service": "embedder"}
    model = {"id": "e", "context_length": 1, "pools": [{"name": "e", "upstream_model": "e", "discovery": discovery}]}

    assert template(with_pocket())["spec"]["automountServiceAccountToken"] is False
    asking = template(with_pocket(models=[model]))["spec"]
    assert asking["automountServiceAccountToken"] is True
    assert "tramontane-router" == asking["serviceAccountName"]

    discovery |= {"api": "https://other.example.org:6443", "namespace": "models"}
    assert template(with_pocket(models=[model]))["spec"]["automountServiceAccountToken"] is False


def test_a_router_waits_for_tokenizers_that_are_still_being_fetched(tmp_path: Path) -> None:
    pod = template(ON_A_VOLUME)["spec"]
    (waiting,) = pod["initContainers"]
    script, path = waiting["args"]
    volume = next(it for it in pod["volumes"] if it["name"] == "weights")

    assert "/etc/tramontane/config/router.yaml" == path
    assert {"claimName": "tramontane-weights", "readOnly": True} == volume["persistentVolumeClaim"]
    weights, told = tmp_path / "weights", tmp_path / "router.yaml"
    told.write_text(one(made(ON_A_VOLUME), "ConfigMap", "tramontane-router")["data"]["router.yaml"])
    (weights / "m").mkdir(parents=True)
    script = script.replace("pathlib.Path(path)", f"pathlib.Path({str(tmp_path)!r} + path)")
    with subprocess.Popen([sys.executable, "-c", script, str(told)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting for the download of /weights/m/tekken.json\n"
        assert process.poll() is None
        (weights / "m" / "tekken.json").touch()
        assert 0 == process.wait(60)


def test_another_model_on_the_same_volume_replaces_no_pods() -> None:
    engine = {"deployment": {"model": "mistral-small-3.1-24b", "preset": "h200", "source": "/weights/other"}}
    more = {"engines": {"other": engine | {"model": {"id": "acme/other"}}}}
    assert template(ON_A_VOLUME)["spec"] == one(made(ON_A_VOLUME, more), "Deployment")["spec"]["template"]["spec"]


def test_what_needs_a_restart_is_what_the_router_says() -> None:
    text = (CHART / "templates" / "_router.tpl").read_text()
    listed = text.partition("range $path := list")[2].partition("-}}")[0]

    assert NEEDS_RESTART == tuple(re.findall(r'"([a-z_.]+)"', listed))


def test_a_volume_that_one_node_can_mount_is_left_to_the_engines() -> None:
    given = ON_A_VOLUME | {"weights": {**ON_A_VOLUME["weights"], "accessMode": "ReadWriteOnce"}}
    pod = template(given)["spec"]

    assert "initContainers" not in pod
    assert "weights" not in [volume["name"] for volume in pod["volumes"]]


def test_the_number_of_routers_is_left_to_who_scales_them() -> None:
    fixed = one(made(with_pocket(replicas=5)), "Deployment")["spec"]
    scaled = one(made(with_pocket(autoscaling={"kind": "hpa"})), "Deployment")["spec"]

    assert 5 == fixed["replicas"]
    assert "replicas" not in scaled
    assert {"maxSurge": 1, "maxUnavailable": 0} == fixed["strategy"]["rollingUpdate"]


def test_routers_are_spread_over_zones_and_nodes_as_far_as_there_are_any() -> None:
    pod = template(with_pocket())["spec"]

    assert [("topology.kubernetes.io/zone", "ScheduleAnyway"), ("kubernetes.io/hostname", "ScheduleAnyway")] == [
        (it["topologyKey"], it["whenUnsatisfiable"]) for it in pod["topologySpreadConstraints"]
    ]
    assert "preferredDuringSchedulingIgnoredDuringExecution" in pod["affinity"]["podAntiAffinity"]


def test_your_own_placement_and_pods_keys_are_taken() -> None:
    constraint = {"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    given = with_pocket(
        topologySpreadConstraints=[constraint],
        affinity={"nodeAffinity": {}},
        nodeSelector={"pool": "cpu"},
        tolerations=[{"key": "cpu", "operator": "Exists"}],
        priorityClassName="high",
        podAnnotations={"a": "b"},
        podLabels={"c": "d"},
        env=[{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    ) | {"images": {"registry": "mirror:5000", "pullSecrets": ["pull"]}, "commonLabels": {"team": "llm"}}
    pods = template(given)
    pod = pods["spec"]

    assert [constraint] == pod["topologySpreadConstraints"]
    assert {"nodeAffinity": {}} == pod["affinity"]
    assert ({"pool": "cpu"}, "high", [{"name": "pull"}]) == (
        pod["nodeSelector"],
        pod["priorityClassName"],
        pod["imagePullSecrets"],
    )
    assert "b" == pods["metadata"]["annotations"]["a"]
    assert {"c": "d", "team": "llm"}.items() <= pods["metadata"]["labels"].items()
    assert [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}] == container(pod)["env"]
    assert container(pod)["image"].startswith("mirror:5000/tramontane/router:")


def test_a_router_runs_without_rights_on_a_root_that_it_cannot_write() -> None:
    pod = template(ON_A_VOLUME)["spec"]

    assert (True, 10001, {"type": "RuntimeDefault"}) == (
        pod["securityContext"]["runAsNonRoot"],
        pod["securityContext"]["runAsUser"],
        pod["securityContext"]["seccompProfile"],
    )
    for each in (*pod["containers"], *pod["initContainers"]):
        assert {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        } == each["securityContext"]
        assert "memory" in each["resources"]["limits"]
    written = {mount["mountPath"] for mount in container(pod)["volumeMounts"] if not mount.get("readOnly")}
    assert {"/var/lib/tramontane/spool", "/tmp"} == written


def test_its_command_is_the_router() -> None:
    only = container(template(with_pocket())["spec"])

    assert ["python", "-m", "router"] == only["command"]
    assert ["--config", "/etc/tramontane/config/router.yaml"] == only["args"]
