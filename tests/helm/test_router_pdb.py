"""How many routers a drain of nodes may take away at a time."""

from tests.helm.render import one
from tests.helm.router_pod import made


def test_routers_go_one_at_a_time_and_broken_ones_always() -> None:
    spec = one(made(), "PodDisruptionBudget", "tramontane-router")["spec"]
    assert (1, "AlwaysAllow") == (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"])
    assert "router" == spec["selector"]["matchLabels"]["app.kubernetes.io/component"]


def test_the_routers_budget_can_be_another_or_none() -> None:
    assert (
        "50%"
        == one(made({"router": {"podDisruptionBudget": {"maxUnavailable": "50%"}}}), "PodDisruptionBudget")["spec"][
            "maxUnavailable"
        ]
    )
    objects = made({"router": {"podDisruptionBudget": {"enabled": False}}})
    assert "PodDisruptionBudget" not in [it["kind"] for it in objects]
