"""Who engines are to the API server. What Ray's autoscaler may, KubeRay gives it itself."""

from tests.helm.discovered import KUBERNETES, found_by, names
from tests.helm.render import one
from tests.helm.router_pod import POCKET, made


def test_engines_have_an_account_without_a_token() -> None:
    assert one(made(), "ServiceAccount", "tramontane-engines")["automountServiceAccountToken"] is False


def test_it_may_nothing_by_the_chart_also_where_engines_scale() -> None:
    engine = {"deployment": {**POCKET["deployment"], "autoscaling": {"max_replicas": 2}}}
    objects = made({"engines": {"pocket": engine}})
    assert [] == names(objects, "RoleBinding") + names(objects, "ClusterRoleBinding")


def test_without_engines_there_is_none() -> None:
    assert [("models", "tramontane-router")] == names(found_by(KUBERNETES), "ServiceAccount")


def test_an_account_of_yours_is_used_instead() -> None:
    objects = made({"serviceAccount": {"engines": "theirs"}})
    assert [("models", "tramontane-router")] == names(objects, "ServiceAccount")


def test_annotations_are_on_it() -> None:
    objects = made({"serviceAccount": {"annotations": {"a": "b"}}})
    assert {"a": "b"} == one(objects, "ServiceAccount", "tramontane-engines")["metadata"]["annotations"]
