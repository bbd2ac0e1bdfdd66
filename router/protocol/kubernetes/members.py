"""From the slices of a Service to the endpoints of a pool.

- An endpoint that is terminating is none, whatever else is said of it: it gets no new request. One that is not ready,
  or ready only because its Service publishes what is not (then it is not `serving`), is none yet. What is not said
  counts as the API documents it: ready, serving, not terminating.
- While slices are rearranged a pod may be in several of them, and with two address families it always is: it counts
  once. If any slice says it is terminating, it is; else any slice of its better family that calls it ready will do.
- The id is the pod's namespace, name and port: stable while the pod lives, and unique, because a pod has its name for
  itself. Two pods of one name (a StatefulSet's successor, while the predecessor's slice is still about) are told apart
  by their uids, and the newest counts. What is no pod has its address for an id, as a static endpoint has.
- Only the first address counts; the API gives no meaning to others.
- A slice that cannot be right is left out, and what is wrong is said: another Service's, names instead of addresses,
  no port, an address that the API server would refuse itself (so somebody has got at it): nothing is sent to a cloud's
  metadata service because a slice says so. Loopback is not refused: it reaches nobody else's machine.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeAlias

from router.policy.catalog import Endpoint, EndpointId
from router.protocol.kubernetes.known import order_of
from router.protocol.kubernetes.slices import SERVICE_LABEL, Conditions, EndpointSlice, SliceEndpoint, TargetRef

Family: TypeAlias = Literal["IPv4", "IPv6"]
_FAMILIES: dict[str, int] = {"IPv4": 4, "IPv6": 6}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")  # a DNS subdomain, which all names of pods are
_READY = Conditions()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which endpoints of which Service.

    `port`: its name or number; None: the only one. `family`: None takes both, and IPv4 of a pod that has both.
    `prefix` stands before the ids of pods, where a router serves more than one cluster.
    """

    service: str
    namespace: str
    port: str | int | None = None
    scheme: str = "http"
    family: Family | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Members:
    """What came of the slices.

    `unready` and `leaving` count endpoints that are none because of their conditions. `complaints` say what was left
    out as wrong, one for each slice.
    """

    endpoints: tuple[Endpoint, ...]
    unready: int = 0
    leaving: int = 0
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    """What one slice says of one endpoint."""

    url: str
    family: str
    order: int
    conditions: Conditions

    @property
    def is_ready(self) -> bool:
        return self.conditions.ready is not False and self.conditions.serving is not False


class _Wrong(Exception):
    """A slice, or an endpoint of it, cannot be right."""


def members_of(slices: Iterable[EndpointSlice], wanted: Wanted) -> Members:
    """The endpoints, in the order of their ids."""
    mentions: defaultdict[tuple[EndpointId, str], list[_Mention]] = defaultdict(list)
    complaints: list[str] = []
    for each in slices:
        try:
            if wanted.family is None or each.address_type != _other(wanted.family):
                _read(each, wanted, mentions)
        except _Wrong as wrong:
            complaints.append(f"EndpointSlice {each.metadata.name[:253]!r}: {wrong}")
    left = {(key[0], each.url) for key, said in mentions.items() for each in said if each.conditions.terminating}
    doors: dict[EndpointId, _Mention] = {}
    unready = leaving = 0
    for (endpoint_id, _), said in mentions.items():
        if any(each.conditions.terminating or (endpoint_id, each.url) in left for each in said):
            leaving += 1
            continue
        best = min(each.family for each in said)  # IPv4 before IPv6
        ready = [each for each in said if each.family == best and each.is_ready]
        if not ready:
            unready += 1
            continue
        if endpoint_id in doors:  # of another pod of that name
            ready.append(doors[endpoint_id])
        doors[endpoint_id] = max(ready, key=lambda each: (each.order, each.url))
    endpoints = tuple(Endpoint(each, doors[each].url) for each in sorted(doors))
    return Members(endpoints, unready, leaving, tuple(sorted(complaints)))


def _read(each: EndpointSlice, wanted: Wanted, mentions: defaultdict[tuple[EndpointId, str], list[_Mention]]) -> None:
    """Add what a slice mentions. Raises _Wrong, after what is right in it was added."""
    metadata = each.metadata
    owner = (metadata.labels or {}).get(SERVICE_LABEL)
    if owner != wanted.service or metadata.namespace != wanted.namespace:
        raise _Wrong("it is another service's")
    if each.address_type not in _FAMILIES:
        raise _Wrong(f"addresses of type {each.address_type[:40]!r} are not supported, only IPv4 and IPv6")
    if not each.endpoints:
        return
    port = _port(each, wanted.port)
    order = order_of(metadata.resource_version) or 0
    bad: list[str] = []
    for endpoint in each.endpoints:
        try:
            host = _host(endpoint, each.address_type)
        except _Wrong as wrong:
            bad.append(str(wrong))
            continue
        ref = endpoint.target_ref or TargetRef()
        named = f"{host}:{port}"
        endpoint_id = _pod_id(ref, wanted, port) or EndpointId(named)
        mention = _Mention(f"{wanted.scheme}://{named}", each.address_type, order, endpoint.conditions or _READY)
        mentions[endpoint_id, ref.uid or ""].append(mention)
    if bad:
        raise _Wrong(bad[0] + (f", and {len(bad) - 1} more" if len(bad) > 1 else ""))


def _port(each: EndpointSlice, wanted: str | int | None) -> int:
    ports = [port for port in each.ports or () if port.protocol in (None, "TCP")]
    told = ", ".join(f"{(port.name or '')[:63]!r} ({port.port})" for port in ports[:10]) or "none"
    if wanted is None:
        if len(ports) != 1:
            raise _Wrong(f"one port was expected, there are: {told}; set discovery.port")
        fitting = ports
    else:
        fitting = [port for port in ports if wanted in (port.name or "", port.port)]
    number = fitting[0].port if fitting else None
    if number is None or not 0 < number < 65_536:
        raise _Wrong(f"it has no usable port{'' if wanted is None else f' {wanted!r}'}; there are: {told}")
    return number


def _host(endpoint: SliceEndpoint, family: str) -> str:
    """The address as it stands in a URL."""
    text = endpoint.addresses[0] if endpoint.addresses else ""
    try:
        address = ip_address(text)
    except ValueError:
        raise _Wrong(f"{text[:64]!r} is no address") from None
    if address.version != _FAMILIES[family]:
        raise _Wrong(f"{text[:64]!r} is no {family} address")
    if _is_special(address):
        raise _Wrong(f"{text[:64]!r} cannot be a pod's address")
    return f"[{address}]" if address.version == 6 else str(address)


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    """As the API server's own rule for addresses of endpoints, but for loopback."""
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address.scope_id is not None):
        return True
    return address.is_unspecified or address.is_multicast or address.is_link_local


def _pod_id(ref: TargetRef, wanted: Wanted, port: int) -> EndpointId | None:
    name, namespace = ref.name or "", ref.namespace or wanted.namespace
    if ref.kind != "Pod" or not _NAME.fullmatch(name) or not _NAME.fullmatch(namespace):
        return None
    return EndpointId(f"{wanted.prefix}{namespace}/{name}:{port}")


def _other(family: Family) -> str:
    return "IPv6" if family == "IPv4" else "IPv4"
