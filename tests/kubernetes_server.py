"""An API server for tests: EndpointSlices over real HTTP, with the faults that real ones have.

What it says of objects is built by the official client's own models, and `test_kubernetes_server.py` drives it with the
official client's own list and watch, so that it cannot drift from the API that it stands for.

It remembers every change by its version, as etcd does, and answers lists page by page and watches from any version that
it has not been told to forget. Beside that it does as it is told: loses events, tells them in another order or twice,
ends or resets watches, is silent, refuses.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes import client

from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer

NAMESPACE = "serving"
SERVICE = "engines"
LABEL = "kubernetes.io/service-name"
ROOT = "/apis/discovery.k8s.io/v1/namespaces/"


def pod(
    name: str,
    address: str,
    *,
    ready: bool | None = True,
    serving: bool | None = None,
    terminating: bool | None = None,
    uid: str | None = None,
) -> client.V1Endpoint:
    """An endpoint as the controller writes it."""
    return client.V1Endpoint(
        addresses=[address],
        conditions=client.V1EndpointConditions(ready=ready, serving=serving, terminating=terminating),
        node_name="node-1",
        target_ref=client.V1ObjectReference(kind="Pod", name=name, namespace=NAMESPACE, uid=uid or f"uid-of-{name}"),
    )


def leaving(name: str, address: str) -> client.V1Endpoint:
    """A pod that was asked to go, and still answers."""
    return pod(name, address, ready=False, serving=True, terminating=True)


def slice_of(
    name: str,
    *endpoints: client.V1Endpoint,
    service: str = SERVICE,
    namespace: str = NAMESPACE,
    family: str = "IPv4",
    ports: tuple[tuple[str | None, int | None], ...] = (("http", 8000),),
) -> client.V1EndpointSlice:
    return client.V1EndpointSlice(
        api_version="discovery.k8s.io/v1",
        kind="EndpointSlice",
        metadata=client.V1ObjectMeta(
            name=name,
            namespace=namespace,
            labels={LABEL: service, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
        ),
        address_type=family,
        ports=[client.DiscoveryV1EndpointPort(name=each, port=number, protocol="TCP") for each, number in ports],
        endpoints=list(endpoints),
    )


def as_json(model: object) -> Any:
    """As the API writes one of the client's models."""
    return client.ApiClient().sanitize_for_serialization(model)


def status(code: int, reason: str, message: str) -> bytes:
    """What the API server says when it refuses."""
    said = client.V1Status(api_version="v1", kind="Status", status="Failure", code=code, reason=reason, message=message)
    return json.dumps(as_json(said)).encode()


EXPIRED = status(410, "Expired", "too old resource version: 1 (100)")


def event(kind: str, said: Any) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": kind, "object": said}).encode() + b"\n"


@dataclass(slots=True)
class _Watch:
    """One that is open. None ends it, a Behaviour takes over."""

    namespace: str
    service: str | None
    wants_bookmarks: bool
    queue: "asyncio.Queue[bytes | Behaviour | None]" = field(default_factory=asyncio.Queue)

    def is_of(self, said: dict[str, Any]) -> bool:
        metadata = said["metadata"]
        is_selected = self.service is None or metadata["labels"].get(LABEL) == self.service
        return is_selected and metadata["namespace"] == self.namespace


class ApiServer:
    """`async with ApiServer().open() as server: …`; `http` is the server beneath it."""

    def __init__(self) -> None:
        self.http = FaultServer(self._answer)
        self.slices: dict[str, dict[str, Any]] = {}
        self.version = 100
        self.token: str | None = None  # that requests must bring
        self.tells_of_the_end_in_an_event = False  # what is forgotten, instead of by the HTTP status
        self.instead: list[Behaviour] = []  # for the next requests
        self.instead_of_lists: list[Behaviour] = []
        self.instead_of_watches: list[Behaviour] = []
        self.lost = 0  # of the next changes: no watch will ever hear of them
        self._log: list[tuple[int, str, dict[str, Any]]] = []
        self._held: list[bytes] | None = None
        self._forgotten = 0
        self._pages: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self._open: list[_Watch] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator["ApiServer"]:
        async with self.http:
            yield self

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def lists(self) -> int:
        return sum("watch=" not in each.path for each in self.http.requests)

    @property
    def watches(self) -> int:
        return sum("watch=" in each.path for each in self.http.requests)

    @property
    def watching(self) -> int:
        """Watches that are open now."""
        return len(self._open)

    @property
    def is_holding(self) -> int:
        """How many things there are to `release`."""
        return len(self._held or ())

    def put(self, *slices: client.V1EndpointSlice) -> None:
        """Create or change, each at a version of its own."""
        for each in slices:
            said = as_json(each)
            name = said["metadata"]["name"]
            self._change("MODIFIED" if name in self.slices else "ADDED", name, said)
            self.slices[name] = said

    def delete(self, name: str) -> None:
        self._change("DELETED", name, json.loads(json.dumps(self.slices.pop(name))))

    def forget(self) -> None:
        """All versions before now, as after compaction: lists go on, watches and pages from the past do not."""
        self._forgotten = self.version
        self._pages.clear()

    def bookmark(self) -> None:
        said = as_json(
            client.V1EndpointSlice(
                api_version="discovery.k8s.io/v1",
                kind="EndpointSlice",
                address_type="",
                metadata=client.V1ObjectMeta(resource_version=str(self.version)),
            )
        )
        for watch in self._open:
            if watch.wants_bookmarks:
                watch.queue.put_nowait(event("BOOKMARK", said))

    def say(self, line: bytes) -> None:
        """To every watch, whatever it is."""
        for watch in self._open:
            watch.queue.put_nowait(line)

    def end_watches(self, by: Behaviour | None = None) -> None:
        """In order, or as the behaviour does."""
        for watch in self._open:
            watch.queue.put_nowait(by)

    def hold(self) -> None:
        """Keep what there is to tell, until `release`."""
        self._held = []

    def release(self, *order: int) -> None:
        """Tell what was kept in this order, by its numbers; what is named twice is told twice, what is not, never."""
        held, self._held = self._held or [], None
        for index in order:
            self.say(held[index])

    def _change(self, kind: str, name: str, said: dict[str, Any]) -> None:
        self.version += 1
        said["metadata"]["resourceVersion"] = str(self.version)
        if self.lost:
            self.lost -= 1
            return
        self._log.append((self.version, kind, said))
        line = event(kind, said)
        if self._held is not None:
            self._held.append(line)
            return
        for watch in self._open:
            if watch.is_of(said):
                watch.queue.put_nowait(line)

    async def _answer(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_watch = query.get("watch") in ("1", "true", "True")
        for turn in (self.instead, self.instead_of_watches if is_watch else self.instead_of_lists):
            if turn:
                return await turn.pop(0)(exchange)
        refusal = self._refusal(exchange, parts.path)
        if refusal is not None:
            return await refusal(exchange)
        namespace = parts.path.removeprefix(ROOT).removesuffix("/endpointslices")
        selector = query.get("labelSelector", "")
        watch = _Watch(namespace, selector.partition("=")[2] or None, query.get("allowWatchBookmarks") == "true")
        if is_watch:
            seconds = float(query["timeoutSeconds"]) if "timeoutSeconds" in query else None
            return await self._watch(exchange, watch, int(query["resourceVersion"]), seconds)
        return await self._list(watch, int(query.get("limit", "0")), query.get("continue", ""))(exchange)

    def _refusal(self, exchange: Exchange, path: str) -> Behaviour | None:
        if self.token is not None and exchange.request.headers.get("authorization") != f"Bearer {self.token}":
            return faults.whole(401, status(401, "Unauthorized", "Unauthorized"))
        if not (path.startswith(ROOT) and path.endswith("/endpointslices")):
            return faults.whole(404, status(404, "NotFound", "the server could not find the requested resource"))
        return None

    def _list(self, watch: _Watch, limit: int, following: str) -> Behaviour:
        if following and following not in self._pages:
            return faults.whole(410, status(410, "Expired", "The provided continue parameter is too old"))
        version, rest = self._pages.get(following) or (
            self.version,
            [said for _, said in sorted(self.slices.items()) if watch.is_of(said)],
        )
        page, rest = (rest[:limit], rest[limit:]) if limit else (rest, [])
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if rest:
            metadata["continue"] = b64encode(f"{version} {len(rest)} {len(self._pages)}".encode()).decode()
            assert b64decode(metadata["continue"])
            metadata["remainingItemCount"] = len(rest)
            self._pages[metadata["continue"]] = (version, rest)
        said = {
            "kind": "EndpointSliceList",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": metadata,
            "items": page,
        }
        return faults.whole(200, json.dumps(said).encode())

    async def _watch(self, exchange: Exchange, watch: _Watch, since: int, seconds: float | None) -> None:
        if since < self._forgotten:
            if not self.tells_of_the_end_in_an_event:
                await faults.whole(410, EXPIRED)(exchange)
                return
            watch.queue.put_nowait(event("ERROR", json.loads(EXPIRED)))
            watch.queue.put_nowait(None)
        for version, kind, said in self._log:
            if version > since and watch.is_of(said):
                watch.queue.put_nowait(event(kind, said))
        self._open.append(watch)
        exchange.send(faults.head(transfer_encoding="chunked"))
        said: bytes | Behaviour | None = None
        try:
            async with asyncio.timeout(seconds):
                while isinstance(said := await watch.queue.get(), bytes):
                    exchange.send(faults.chunk(said))
        except TimeoutError:
            said = None
        finally:
            self._open.remove(watch)
        if said is None:
            exchange.send(b"0\r\n\r\n")
        elif not isinstance(said, bytes):
            await said(exchange)
