"""Who routers are to the API server."""

from tests.helm.render import one
from tests.helm.router_pod import made


def test_routers_have_an_account_without_a_token() -> None:
    assert one(made(), "ServiceAccount", "tramontane-router")["automountServiceAccountToken"] is False


def test_an_account_of_yours_is_used_instead() -> None:
    objects = made({"serviceAccount": {"router": "mine"}})
    assert "tramontane-router" not in [it["metadata"]["name"] for it in objects if it["kind"] == "ServiceAccount"]
    assert "mine" == one(objects, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"]


def test_annotations_are_on_it() -> None:
    objects = made({"serviceAccount": {"annotations": {"a": "b"}}})
    assert {"a": "b"} == one(objects, "ServiceAccount", "tramontane-router")["metadata"]["annotations"]
