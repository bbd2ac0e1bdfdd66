"""Pods of Ray: their environment, probes, weights, and their end."""

import pytest

from serving.environment import EVERY_CLUSTER
from serving.probe import parse
from tests.helm.rayservices import (
    MISTRAL,
    ON_CLAIM,
    POCKET,
    REPOSITORY,
    cluster,
    environment,
    every_shape,
    only,
    service,
    worker,
)
from tests.helm.render import one
from tests.helm.shapes import Shape


@every_shape
def test_every_container_of_ray_has_the_environment_that_serving_asks_for(shape: Shape) -> None:
    made = cluster(one(shape.objects(), "RayService"))
    for group in [made["headGroupSpec"], *made["workerGroupSpecs"]]:
        given = environment(group["template"]["spec"])
        assert dict(EVERY_CLUSTER) == {name: given.get(name) for name in EVERY_CLUSTER}
        ports = [given[f"RAY_SERVE_DIRECT_INGRESS_{end}_HTTP_PORT"] for end in ("MIN", "MAX")]
        assert ["30000", "31000"] == ports
        assert "RAY_AUTH_TOKEN" not in given  # KubeRay's to give, from the secret


@every_shape
def test_probes_are_commands_that_there_are(shape: Shape) -> None:
    made = cluster(one(shape.objects(), "RayService"))
    for group in [made["headGroupSpec"], *made["workerGroupSpecs"]]:
        (container,) = group["template"]["spec"]["containers"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert ["python", "-m", "serving.probe"] == container[kind]["exec"]["command"][:3]
            given = parse(container[kind]["exec"]["command"][3:])
            assert container[kind]["timeoutSeconds"] >= 3 * given.timeout


def test_other_gpus_are_asked_for_by_their_name() -> None:
    resources = worker(service(MISTRAL, gpuResource="amd.com/gpu"))["containers"][0]["resources"]

    assert ("1", "1") == (resources["requests"]["amd.com/gpu"], resources["limits"]["amd.com/gpu"])
    assert "nvidia.com/gpu" not in resources["limits"]


def test_the_head_holds_no_engine() -> None:
    head = cluster(service())["headGroupSpec"]

    assert ("0", "0", "0.0.0.0") == tuple(
        head["rayStartParams"][key] for key in ("num-cpus", "num-gpus", "dashboard-host")
    )
    assert "nvidia.com/gpu" not in head["template"]["spec"]["containers"][0]["resources"].get("limits", {})


def test_a_pods_end_leaves_time_for_its_streams() -> None:
    pod = worker(service({**MISTRAL, "drain": {"timeout_s": 90}}))

    assert 150 == pod["terminationGracePeriodSeconds"]
    assert ["python", "-m", "serving.leave", "--seconds", "135"] == pod["containers"][0]["lifecycle"]["preStop"][
        "exec"
    ]["command"]


def test_a_pod_that_has_left_is_not_drained_once_more_at_sigterm() -> None:
    """Ray would wait for half a minute, which is all that is left of the grace period, and a head's whole."""
    config = cluster(service())
    for group in [config["headGroupSpec"], *config["workerGroupSpecs"]]:
        assert "0" == environment(group["template"]["spec"])["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"]


def test_a_replica_that_is_started_anew_in_its_pod_answers_at_the_same_port() -> None:
    """Which the PodMonitor asks. Ports are given out by Serve's controller on the head."""
    head = environment(cluster(service())["headGroupSpec"]["template"]["spec"])
    assert ("30000", "0") == (head["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"], head["RAY_SERVE_PORT_QUARANTINE_S"])


def test_an_engine_may_take_its_minutes_to_start() -> None:
    container = worker(service(MISTRAL, startMinutes=45))["containers"][0]

    assert 2700 == parse(container["livenessProbe"]["exec"]["command"][3:]).start_seconds
    assert parse(container["startupProbe"]["exec"]["command"][3:]).replicas is None


@pytest.mark.parametrize(("hosts", "least"), [(1, 1), (2, 0)])
def test_a_pod_is_ready_with_its_replica_unless_it_only_shares_in_one(hosts: int, least: int) -> None:
    found = service({**MISTRAL, "pipeline_parallel_size": 2}, hostsPerReplica=hosts)

    assert least == parse(worker(found)["containers"][0]["readinessProbe"]["exec"]["command"][3:]).replicas


@pytest.mark.parametrize(("backend", "counts"), [("none", False), ("rocksdb", True)])
def test_a_dashboard_that_hangs_ends_the_head_only_where_its_state_is_kept(backend: str, counts: bool) -> None:
    head = cluster(service(MISTRAL, {"ray": {"gcsFaultTolerance": {"backend": backend}}}))["headGroupSpec"]
    container = head["template"]["spec"]["containers"][0]

    assert counts == parse(container["livenessProbe"]["exec"]["command"][3:]).dashboard
    assert parse(container["readinessProbe"]["exec"]["command"][3:]).dashboard


def test_weights_on_the_claim_are_the_source_and_waited_for() -> None:
    found = service(MISTRAL, ON_CLAIM)
    pod = worker(found)

    assert "/weights/mistral" == only(found)[0].deployment.source
    assert "1" == environment(pod)["HF_HUB_OFFLINE"]
    arguments = pod["initContainers"][0]["args"]
    assert ["--folder", "/weights/mistral", "--seconds", "1800", "--repository", REPOSITORY, "--revision", "main"] == (
        arguments
    )


def test_weights_that_somebody_filled_must_only_be_there() -> None:
    claim = {"weights": {"enabled": True, "existingClaim": "models", "download": {"enabled": False}}}
    pod = worker(service({**MISTRAL, "source": "/weights/mistral"}, claim))

    assert ["--folder", "/weights/mistral", "--seconds", "1800"] == pod["initContainers"][0]["args"]
    assert "models" in [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["volumes"]]


def test_an_engine_that_fetches_its_weights_has_room_for_them_and_the_token_in_a_file() -> None:
    pod = worker(service(MISTRAL, {"weights": {"download": {"tokenSecret": "hub"}}}))
    (hub,) = (volume for volume in pod["volumes"] if volume["name"] == "hub")

    assert {"sizeLimit": "100Gi"} == hub["emptyDir"]
    assert "/hub" == environment(pod)["HF_HOME"]
    assert "/etc/tramontane/secrets/hub/token" == environment(pod)["HF_TOKEN_PATH"]
    assert "initContainers" not in pod
    assert not any(name in environment(pod) for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))


def test_the_pocket_models_weights_come_with_the_image() -> None:
    pod = worker(service(POCKET))

    assert {"scratch", "home", "shared-memory"} == {volume["name"] for volume in pod["volumes"]}
    assert pod["containers"][0]["image"].startswith("tramontane/engine-cpu:")


def test_the_head_reads_weights_whose_shape_no_profile_states() -> None:
    head = cluster(service({**POCKET, "source": "/weights/pocket"}, ON_CLAIM))["headGroupSpec"]["template"]["spec"]
    other = cluster(service(MISTRAL, ON_CLAIM))["headGroupSpec"]["template"]["spec"]

    assert "weights" in [volume["name"] for volume in head["volumes"]]
    assert "weights" not in [volume["name"] for volume in other["volumes"]]


def test_an_engine_s_own_workers_go_above_those_of_all() -> None:
    pod = worker(service(MISTRAL, {"workers": {"nodeSelector": {"a": "1"}, "scratch": "5Gi"}}, nodeSelector={"b": "2"}))

    assert {"a": "1", "b": "2"} == pod["nodeSelector"]
    assert {"sizeLimit": "5Gi"} == pod["volumes"][0]["emptyDir"]


def test_under_the_autoscaler_a_node_that_ended_does_not_come_back() -> None:
    for deployment, expected in ((MISTRAL, "Always"), ({**MISTRAL, "autoscaling": {"max_replicas": 2}}, "Never")):
        made = cluster(service(deployment))
        for group in (made["headGroupSpec"], *made["workerGroupSpecs"]):
            assert expected == group["template"]["spec"]["restartPolicy"]
