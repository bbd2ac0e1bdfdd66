"""Whose the routers' role is."""

from tests.helm.discovered import KUBERNETES, found_by, names
from tests.helm.render import one


def test_the_role_is_the_routers_accounts() -> None:
    objects = found_by(KUBERNETES)

    binding = one(objects, "RoleBinding")

    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": one(objects, "Role")["metadata"]["name"]}
    assert role == binding["roleRef"]
    assert [{"kind": "ServiceAccount", "name": "tramontane-router", "namespace": "models"}] == binding["subjects"]


def test_in_another_namespace_the_account_is_the_releases_own() -> None:
    objects = found_by({**KUBERNETES, "namespace": "embedders"})
    assert names(objects, "Role") == names(objects, "RoleBinding")
    assert "models" == one(objects, "RoleBinding")["subjects"][0]["namespace"]


def test_an_account_of_yours_is_bound_too() -> None:
    objects = found_by(KUBERNETES, serviceAccount={"router": "mine"})
    assert "mine" == one(objects, "RoleBinding")["subjects"][0]["name"]
