"""What Prometheus makes of a target by a monitor's rules, as far as the chart uses them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

ON: dict[str, Any] = {"monitoring": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "30s"}}


def relabelled(address: str, labels: Mapping[str, str], rules: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """Its labels, or nothing if it is dropped."""
    target = {"__address__": address, **labels}
    for rule in rules:
        value = ";".join(target.get(name, "") for name in rule.get("sourceLabels", []))
        match = re.fullmatch(rule.get("regex", "(.*)"), value, re.DOTALL)
        if rule["action"] == "labeldrop":
            target = {name: it for name, it in target.items() if not re.fullmatch(rule["regex"], name)}
        if rule["action"] == "keep" and not match:
            return None
        if rule["action"] == "replace" and match:
            target[rule["targetLabel"]] = match.expand(rule.get("replacement", "$1").replace("$1", r"\g<1>"))
    return target
