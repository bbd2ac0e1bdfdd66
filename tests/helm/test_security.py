"""Secure by default: what every container of every shape is allowed, and what is not in any object."""

import re

import pytest

from tests.helm.pods import Pods, pods
from tests.helm.shapes import Shape, every_shape

YOURS = ("Deployment embedder",)  # of a shape's extraObjects
SECRET = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|(^|_)KEY($|_)|CREDENTIAL")
LASTING = ("Deployment", "StatefulSet", "RayService")  # whose containers run until they are stopped


@every_shape
def test_containers_may_do_nothing_that_they_need_not(shape: Shape) -> None:
    for at in _pods(shape):
        of_pod = at.spec.get("securityContext", {})
        for container in at.containers:
            name, given = f"{at.owner} {container['name']}", container.get("securityContext", {})
            assert given.get("allowPrivilegeEscalation") is False, name
            assert given.get("readOnlyRootFilesystem") is True, name
            assert {"drop": ["ALL"]} == given.get("capabilities"), name
            assert not given.get("privileged"), name
            both = {**of_pod, **given}
            assert both.get("runAsNonRoot") is True, name
            assert both.get("runAsUser", 0) > 0, name
            assert "RuntimeDefault" == both.get("seccompProfile", {}).get("type"), name


@every_shape
def test_nothing_of_the_node_is_shared(shape: Shape) -> None:
    for at in _pods(shape):
        assert not any(at.spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")), (
            at.owner
        )
        assert not any("hostPath" in volume for volume in at.spec.get("volumes", [])), at.owner
        assert not any("hostPort" in port for one in at.containers for port in one.get("ports", [])), at.owner


@every_shape
def test_every_container_says_what_it_needs_and_is_bound(shape: Shape) -> None:
    for at in _pods(shape):
        for container in at.containers:
            resources = container.get("resources", {})
            assert {"cpu", "memory"} <= resources.get("requests", {}).keys(), f"{at.owner} {container['name']}"
            assert "memory" in resources.get("limits", {}), f"{at.owner} {container['name']}"
        for volume in at.spec.get("volumes", []):
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], f"{at.owner} {volume['name']}"


@every_shape
def test_what_lasts_is_asked_whether_it_lives_and_is_ready(shape: Shape) -> None:
    for at in _pods(shape):
        if at.owner.startswith(LASTING):
            for container in at.spec["containers"]:
                assert {"livenessProbe", "readinessProbe"} <= container.keys(), f"{at.owner} {container['name']}"


@every_shape
def test_images_are_of_a_version(shape: Shape) -> None:
    images = {container["image"] for at in _pods(shape) for container in at.containers}

    assert images
    assert [] == [image for image in images if not re.search(r"(:[^/:]+|@sha256:[0-9a-f]{64})$", image)]
    assert [] == [image for image in images if image.endswith(":latest")]


@every_shape
def test_secrets_are_named_and_never_written_down(shape: Shape) -> None:
    for at in _pods(shape):
        for container in at.containers:
            for variable in container.get("env", []):
                is_path = str(variable.get("value", "")).startswith("/")
                assert "value" not in variable or is_path or not SECRET.search(variable["name"]), (
                    f"{at.owner} {container['name']}: {variable['name']}"
                )


@every_shape
def test_a_token_for_the_api_is_mounted_only_where_a_role_says_what_for(shape: Shape) -> None:
    objects = shape.objects()
    allowed = {
        subject["name"] for thing in objects if thing["kind"] == "RoleBinding" for subject in thing["subjects"]
    } | {"my-router", "my-engines"}
    # KubeRay binds the head's account to a Role that it makes itself, for the autoscaler beside it
    heads = {
        f"RayService {thing['metadata']['name']} head"
        for thing in objects
        if thing["kind"] == "RayService" and thing["spec"]["rayClusterConfig"].get("enableInTreeAutoscaling")
    }
    for at in _pods(shape):
        assert "automountServiceAccountToken" in at.spec, at.owner
        is_allowed = at.owner in heads or at.spec.get("serviceAccountName") in allowed
        assert is_allowed or not at.spec["automountServiceAccountToken"], at.owner
    for account in (thing for thing in objects if thing["kind"] == "ServiceAccount"):
        assert account.get("automountServiceAccountToken") is False, account["metadata"]["name"]


@every_shape
def test_roles_name_what_they_allow(shape: Shape) -> None:
    objects = shape.objects()

    assert [] == [thing["metadata"]["name"] for thing in objects if thing["kind"].startswith("ClusterRole")]
    for role in (thing for thing in objects if thing["kind"] == "Role"):
        for rule in role["rules"]:
            assert not {"*"} & {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}, role["metadata"]["name"]
            assert not {"secrets", "pods/exec"} & {*rule["resources"]}, role["metadata"]["name"]


@every_shape
def test_every_pod_is_under_a_network_policy_both_ways(shape: Shape) -> None:
    if shape.set.get("networkPolicy.enabled") is False:
        pytest.skip("switched off")
    objects = shape.objects()
    policies = [thing["spec"] for thing in objects if thing["kind"] == "NetworkPolicy"]
    for at in _pods(shape):
        types = {kind for policy in policies if at.matches(policy["podSelector"]) for kind in policy["policyTypes"]}
        assert {"Ingress", "Egress"} == types, at.owner


def _pods(shape: Shape) -> list[Pods]:
    return [at for at in pods(shape.objects()) if at.owner not in YOURS]
