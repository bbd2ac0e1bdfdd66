"""EndpointSlices (discovery.k8s.io/v1) as the API server lists and watches them, as far as a router needs them.

Go writes an empty list as null or leaves it out; both are read. Objects carry much more than is named here (managed
fields, topology hints): it is passed over without being built.
"""

from dataclasses import dataclass
from typing import TypeAlias

import msgspec

SERVICE_LABEL = "kubernetes.io/service-name"
_GONE = 410


class KubernetesUnclear(Exception):
    """The API server did not tell which endpoints there are. The message says why, for the log.

    `retry_after_s`: how long it asked to be left alone; 0 if it did not.
    """

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Expired(Exception):
    """What was asked for is older than the API server remembers (410): list anew."""


class Conditions(msgspec.Struct, frozen=True):
    """None is what the API documents for it: ready, serving, not terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(msgspec.Struct, frozen=True):
    kind: str | None = None
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None


class SliceEndpoint(msgspec.Struct, frozen=True, rename="camel"):
    addresses: tuple[str, ...] | None = None
    conditions: Conditions | None = None
    target_ref: TargetRef | None = None


class SlicePort(msgspec.Struct, frozen=True):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None


class EndpointSlice(msgspec.Struct, frozen=True, rename="camel"):
    metadata: Metadata
    address_type: str
    endpoints: tuple[SliceEndpoint, ...] | None = None
    ports: tuple[SlicePort, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `version` is the whole list's; `following` fetches the next page, "" on the last."""

    slices: tuple[EndpointSlice, ...]
    version: str
    following: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A slice is now so, or is gone."""

    slice: EndpointSlice
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing changed up to here; a watch may be resumed from this version."""

    version: str


WatchEvent: TypeAlias = Changed | Bookmark


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str
    following: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    metadata: _ListMetadata
    items: tuple[EndpointSlice, ...] | None


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _BookmarkMetadata(msgspec.Struct, rename="camel"):
    resource_version: str


class _Bookmark(msgspec.Struct):
    metadata: _BookmarkMetadata


class _Status(msgspec.Struct):
    code: int | None = None
    reason: str | None = None
    message: str | None = None


_LIST = msgspec.json.Decoder(_List)
_EVENT = msgspec.json.Decoder(_Event)
_SLICE = msgspec.json.Decoder(EndpointSlice)
_BOOKMARK = msgspec.json.Decoder(_Bookmark)
_STATUS = msgspec.json.Decoder(_Status)
_NONSENSE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # ValidationError is a DecodeError


def read_page(body: bytes) -> Page:
    """A page of an EndpointSliceList. Raises KubernetesUnclear."""
    try:
        found = _LIST.decode(body)
    except _NONSENSE as error:
        raise KubernetesUnclear(f"the answer is no list of EndpointSlices: {error}") from None
    if not found.metadata.resource_version:
        raise KubernetesUnclear("the answer is no list of EndpointSlices: it has no resourceVersion")
    return Page(found.items or (), found.metadata.resource_version, found.metadata.following)


def read_event(line: bytes) -> WatchEvent:
    """One line of a watch. Raises Expired or KubernetesUnclear."""
    try:
        event = _EVENT.decode(line)
        match event.type:
            case "ADDED" | "MODIFIED":
                return Changed(_SLICE.decode(event.object), is_gone=False)
            case "DELETED":
                return Changed(_SLICE.decode(event.object), is_gone=True)
            case "BOOKMARK":
                return Bookmark(_BOOKMARK.decode(event.object).metadata.resource_version)
            case "ERROR":
                status = _STATUS.decode(event.object)
            case _:
                raise KubernetesUnclear(f"the watch told of something unknown: {event.type[:40]!r}")
    except _NONSENSE as error:
        raise KubernetesUnclear(f"the watch told of no EndpointSlice: {error}") from None
    if status.code == _GONE or status.reason in ("Expired", "Gone"):
        raise Expired
    raise KubernetesUnclear(f"the watch failed: {status.reason} ({status.code}): {(status.message or '')[:300]!r}")


def reason_of(body: bytes) -> str:
    """What a refusal says of itself, in quotes and not longer than a line; "" if it says nothing readable."""
    try:
        message = _STATUS.decode(body).message
    except _NONSENSE:
        return ""
    return repr(message[:300]) if message else ""
