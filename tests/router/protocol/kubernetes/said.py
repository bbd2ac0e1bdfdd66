"""EndpointSlices as the API server writes them, read as the router reads them."""

import json

from kubernetes import client

from router.protocol.kubernetes.members import Wanted
from router.protocol.kubernetes.slices import Changed, EndpointSlice, read_event
from tests.kubernetes_server import NAMESPACE, SERVICE, as_json

WANTED = Wanted(SERVICE, NAMESPACE)


def line(model: client.V1EndpointSlice, version: int | str, kind: str = "MODIFIED") -> bytes:
    said = as_json(model)
    said["metadata"]["resourceVersion"] = str(version)
    return json.dumps({"type": kind, "object": said}).encode()


def changed(model: client.V1EndpointSlice, version: int | str, kind: str = "MODIFIED") -> Changed:
    event = read_event(line(model, version, kind))
    assert isinstance(event, Changed)
    return event


def read(model: client.V1EndpointSlice, version: int | str = 1) -> EndpointSlice:
    return changed(model, version).slice
