"""May A reach B at a port, by the network policies of a rendering? What Kubernetes says of them, evaluated.

A pod that no policy selects for a direction is open in it; one that some select may do what any of them allows. A way
is open if the one who sends may send and the one who receives may receive. Addresses outside have no policy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.helm.render import Object


@dataclass(frozen=True, slots=True)
class Pod:
    """Somebody in the cluster."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outside:
    """Somebody at an address outside it: the world, a node, the cloud's metadata."""

    address: str


Peer = Pod | Outside


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of a rendering."""

    objects: tuple[Object, ...]

    def allow(self, sender: Peer, receiver: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether packets to the port arrive."""
        return self._may(sender, receiver, "Egress", port, protocol) and self._may(
            receiver, sender, "Ingress", port, protocol
        )

    def may_send(self, sender: Peer, receiver: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether the sender's own policies let it: the one side of `allow`."""
        return self._may(sender, receiver, "Egress", port, protocol)

    def may_receive(self, receiver: Peer, sender: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether the receiver's own policies let it: the other side."""
        return self._may(receiver, sender, "Ingress", port, protocol)

    def _may(self, who: Peer, other: Peer, direction: str, port: int, protocol: str) -> bool:
        if isinstance(who, Outside):
            return True
        policies = [
            each
            for each in self.objects
            if each["metadata"]["namespace"] == who.namespace
            and direction in each["spec"]["policyTypes"]
            and _selects(each["spec"]["podSelector"], who.labels)
        ]
        rules = [(each, rule) for each in policies for rule in each["spec"].get(direction.lower(), [])]
        peers = "to" if direction == "Egress" else "from"
        return not policies or any(
            _has_port(rule, port, protocol) and _has_peer(rule.get(peers), other, policy["metadata"]["namespace"])
            for policy, rule in rules
        )


def policies(objects: Iterable[Object]) -> Policies:
    return Policies(tuple(each for each in objects if each["kind"] == "NetworkPolicy"))


def _has_port(rule: Mapping[str, Any], port: int, protocol: str) -> bool:
    if "ports" not in rule:
        return True
    return any(
        each.get("protocol", "TCP") == protocol and each["port"] <= port <= each.get("endPort", each["port"])
        for each in rule["ports"]
    )


def _has_peer(peers: list[Mapping[str, Any]] | None, other: Peer, own: str) -> bool:
    return peers is None or any(_is(peer, other, own) for peer in peers)


def _is(peer: Mapping[str, Any], other: Peer, own: str) -> bool:
    if "ipBlock" in peer:
        return isinstance(other, Outside) and _holds(peer["ipBlock"], other.address)
    if isinstance(other, Outside):
        return False
    if "namespaceSelector" in peer:
        if not _selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}):
            return False
    elif other.namespace != own:
        return False
    return _selects(peer.get("podSelector", {}), other.labels)


def _holds(block: Mapping[str, Any], address: str) -> bool:
    at = ip_address(address)
    networks = [ip_network(each) for each in block.get("except", [])]
    whole = ip_network(block["cidr"])
    assert all(each.subnet_of(whole) and each != whole for each in networks)  # type: ignore[arg-type]  # or the API refuses
    return at in whole and not any(at in each for each in networks)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _agrees(each, labels) for each in selector.get("matchExpressions", [])
    )


def _agrees(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert expression["operator"] == "In"
    return labels.get(expression["key"]) in expression["values"]
