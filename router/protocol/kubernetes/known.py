"""The slices of a Service as a router knows them: a list, and what a watch told since.

A list is always believed and takes the place of everything before it: whatever events were lost, doubled or told in
another order, the next list ends in the truth. Between lists an event is believed unless it is older than what is known
of its slice, so that a server that tells old things late cannot bring an endpoint back that was leaving. Versions are
compared as the numbers that they are (API conventions since Kubernetes 1.35, and etcd's revisions long before); ones
that are no numbers cannot be compared, and then what comes last counts.
"""

from collections.abc import Iterable

from router.protocol.kubernetes.slices import Bookmark, EndpointSlice, KubernetesUnclear, WatchEvent

_DIGITS = 20  # of an unsigned number of 64 bits


def order_of(version: str) -> int | None:
    """A resourceVersion as a number; None if it is none."""
    is_number = 0 < len(version) <= _DIGITS and version.isascii() and version.isdigit()
    return int(version) if is_number else None


class KnownSlices:
    """`most`: slices that one Service may have; more are a mistake that must not fill the memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._slices: dict[str, EndpointSlice] = {}
        self._gone: dict[str, str] = {}  # name of a slice to the version in which it went
        self._listed = ""
        self.version = ""  # to resume a watch from; "": list first

    def all(self) -> tuple[EndpointSlice, ...]:
        """In the order in which they came to be known."""
        return tuple(self._slices.values())

    def replace(self, slices: Iterable[EndpointSlice], version: str) -> None:
        """Make a list, complete and of this version, all that is known."""
        self._slices = {each.metadata.name: each for each in slices}
        self._gone.clear()
        self._listed = self.version = version

    def expire(self) -> None:
        """Forget where a watch would be resumed. What is known stays until there is a list."""
        self.version = ""

    def tell(self, event: WatchEvent) -> bool:
        """Note what a watch says; whether it changed anything. Raises KubernetesUnclear."""
        if isinstance(event, Bookmark):
            self.version = event.version or self.version
            return False
        metadata = event.slice.metadata
        name, version = metadata.name, metadata.resource_version
        self.version = version or self.version
        if self._is_past(name, version):
            return False
        if event.is_gone:
            self._bury(name, version)
            return self._slices.pop(name, None) is not None
        if name not in self._slices and len(self._slices) >= self._most:
            raise KubernetesUnclear(f"the service has more than {self._most} EndpointSlices")
        self._slices[name] = event.slice
        return True

    def _is_past(self, name: str, version: str) -> bool:
        """Whether it was so before what is known now."""
        said = order_of(version)
        if said is None:
            return False
        known = self._slices.get(name)
        if known is not None:
            # not if it is the same: a server may tell of an end with the version that the slice had
            then = order_of(known.metadata.resource_version)
            return then is not None and said < then
        ends = (order_of(self._listed), order_of(self._gone.get(name, "")))  # without it, these were
        return any(end is not None and said <= end for end in ends)

    def _bury(self, name: str, version: str) -> None:
        self._gone.pop(name, None)
        self._gone[name] = version
        if len(self._gone) > self._most:
            del self._gone[next(iter(self._gone))]  # the oldest
