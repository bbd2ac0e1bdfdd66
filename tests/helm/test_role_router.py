"""What routers may ask of the API server."""

from tests.helm.discovered import KUBERNETES, found_by, names
from tests.helm.pods import pods
from tests.helm.render import one
from tests.helm.router_pod import made


def test_routers_that_ask_nothing_of_kubernetes_may_ask_nothing() -> None:
    objects = made()
    assert [] == names(objects, "Role") + names(objects, "RoleBinding")
    assert [] == names(objects, "ClusterRole") + names(objects, "ClusterRoleBinding")


def test_routers_may_watch_endpoints_where_they_look_for_engines_and_nothing_else() -> None:
    objects = found_by(KUBERNETES)

    slices = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}
    assert [slices] == one(objects, "Role")["rules"]
    assert [("models", "tramontane-router-discovery")] == names(objects, "Role")
    (router,) = [at for at in pods(objects) if at.owner == "Deployment tramontane-router"]
    assert router.spec["automountServiceAccountToken"] is True


def test_each_namespace_has_its_role_once_under_a_name_of_the_release() -> None:
    there = {**KUBERNETES, "namespace": "embedders"}
    assert [
        ("embedders", "models-tramontane-router-discovery"),
        ("models", "tramontane-router-discovery"),
    ] == names(found_by(KUBERNETES, there, there), "Role")


def test_another_clusters_api_needs_no_role_here() -> None:
    far = {**KUBERNETES, "namespace": "far", "api": "https://far.example:6443", "token": {"env": "TOKEN"}}
    assert [] == names(found_by(far), "Role")
