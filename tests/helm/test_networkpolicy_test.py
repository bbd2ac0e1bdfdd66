"""The pod of `helm test` reaches routers alone, and nobody reaches it."""

from typing import Any

import pytest

from tests.helm.pods import pods
from tests.helm.policies import Pod, policies
from tests.helm.policy_world import NEIGHBOUR, PLAIN, ROUTER, STRANGER, TEST, WORKER, WORLD, asks_for_names, of, ways
from tests.helm.render import EVERYTHING, SHAPES, render


def test_it_asks_routers_and_nobody_else() -> None:
    found = of(PLAIN)
    assert [True, True, False, False, False, False] == ways(
        found,
        (TEST, ROUTER, 8080),
        (TEST, ROUTER, 8081),
        (TEST, ROUTER, 9090),
        (TEST, WORKER, 30000),
        (TEST, WORLD, 443),
        (NEIGHBOUR, TEST, 8080),
    )
    assert asks_for_names(found, TEST)


@pytest.mark.parametrize("values", [*SHAPES, EVERYTHING], ids=lambda it: it.stem)
def test_every_pod_of_every_shape_is_closed_both_ways(values: Any) -> None:
    objects = render(values)
    found = policies(objects)
    own = [at for at in pods(objects) if at.labels.get("app.kubernetes.io/instance") == "tramontane"]  # not yours
    assert own
    for at in own:
        pod = Pod("models", at.labels)
        assert not found.may_receive(pod, STRANGER, 12345), at.owner
        assert not found.may_send(pod, STRANGER, 12345), at.owner


def test_switched_off_there_is_none() -> None:
    assert () == of(PLAIN, networkPolicy__enabled=False).objects
