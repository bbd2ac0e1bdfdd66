"""Where ledger rows wait: in each router's own folder on its node, or on a claim that all routers share."""

from tests.helm.render import one
from tests.helm.router_pod import made, pod_of


def volume(spool: dict[str, str]) -> object:
    pod = pod_of(made({"router": {"spool": spool}}))
    return next(it for it in pod["volumes"] if it["name"] == "spool")


def test_it_is_on_the_node_unless_there_is_a_class() -> None:
    assert {"name": "spool", "emptyDir": {"sizeLimit": "2Gi"}} == volume({})
    claims = [it for it in made() if it["kind"] == "PersistentVolumeClaim"]
    assert "tramontane-router-spool" not in [it["metadata"]["name"] for it in claims]


def test_a_claim_is_shared_so_that_another_router_writes_a_dead_ones_rows() -> None:
    spool = {"storageClass": "files", "size": "5Gi"}
    assert {"name": "spool", "persistentVolumeClaim": {"claimName": "tramontane-router-spool"}} == volume(spool)
    objects = made({"router": {"spool": spool}})
    claim = one(objects, "PersistentVolumeClaim", "tramontane-router-spool")

    assert (["ReadWriteMany"], "files", "5Gi") == (
        claim["spec"]["accessModes"],
        claim["spec"]["storageClassName"],
        claim["spec"]["resources"]["requests"]["storage"],
    )
    assert "keep" == claim["metadata"]["annotations"]["helm.sh/resource-policy"]
