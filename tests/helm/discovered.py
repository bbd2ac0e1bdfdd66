"""The chart with engines that routers find by themselves."""

from typing import Any

from tests.helm.render import Object, render

KUBERNETES: dict[str, Any] = {"kind": "kubernetes", "service": "vllm"}


def found_by(*discoveries: dict[str, Any], **values: Any) -> list[Object]:
    """Routers of one model, with a pool for each kind of discovery, and no engines of the chart's own."""
    pools = [{"name": f"p{n}", "upstream_model": "m", "discovery": it} for n, it in enumerate(discoveries)]
    model = {"id": "acme/m", "context_length": 1024, "pools": pools}
    return render({"router": {"models": [model]}, **values})


def names(objects: list[Object], kind: str) -> list[tuple[str, str]]:
    """Namespaces and names of the objects of a kind."""
    return [(it["metadata"]["namespace"], it["metadata"]["name"]) for it in objects if it["kind"] == kind]
