"""What Ray Serve's REST API says of an application, to endpoints. Values only.

The document is that of `GET /api/serve/applications/` (Ray 2.60, `ray.serve.schema.ServeInstanceDetails`). Things in
it that are not what they seem:

- An application without a running replica is listed with the *proxies* as its targets. A target is a replica's own
  door only if its name is that of a replica of the application.
- A replica that is asked to stop leaves the target groups at once, while it still drains: absence means draining.
- A replica on a node that is being drained is `PENDING_MIGRATION`: it serves on until its successor runs, so it is
  used as long as there is no other.
- After a restart of Serve's controller the replicas are `RECOVERING`, and while options are changed in place they are
  `UPDATING`: in no target group, although they serve as before. Those already known are kept.
- While a changed application is built, which takes ten seconds and more, and after that has failed, the application has
  no deployment and the proxies as its targets, although its replicas serve as before. One that is being deleted has
  none either, and its replicas do stop.
- While there is no controller the document is empty: it says nothing about the replicas.
- Another controller than the one before (after the loss of a head without GCS fault tolerance, after KubeRay has moved
  the head's service to another cluster, or one that could not read its checkpoint) may know nothing of replicas that
  are as alive as before. So who it is that tells is told as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from router.policy.catalog import Endpoint, EndpointId

_REPLICA_PREFIX = "SERVE_REPLICA::"
_STILL_SERVING = ("RECOVERING", "UPDATING")  # without being in a target group


class RayUnclear(Exception):
    """The answer does not tell which endpoints there are. The message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Told:
    """`controller` is another for each process of Serve's controller; "" if it did not say. `proxy`: base URL of the
    application at one of Ray's proxies, which are its targets while it has no replica; None: there is none.
    """

    endpoints: tuple[Endpoint, ...]
    controller: str
    proxy: str | None = None


class _Target(msgspec.Struct):
    ip: str
    port: int
    name: str


class _Group(msgspec.Struct):
    targets: list[_Target]
    protocol: str = "HTTP"
    app_name: str = ""
    route_prefix: str = "/"


class _Replica(msgspec.Struct):
    state: str
    actor_name: str | None = None


class _Deployment(msgspec.Struct):
    replicas: list[_Replica] = []


class _Application(msgspec.Struct):
    status: str = ""
    deployments: dict[str, _Deployment] = {}


class _Controller(msgspec.Struct):
    actor_id: str | None = None
    worker_id: str | None = None


class _Details(msgspec.Struct):
    applications: dict[str, _Application]
    target_groups: list[_Group] | None = None
    controller_info: _Controller = msgspec.field(default_factory=_Controller)


_DECODER = msgspec.json.Decoder(_Details)


def read_targets(document: bytes, application: str, known: Iterable[Endpoint] = ()) -> Told:
    """The direct doors of the application's serving replicas; none if it is not deployed, or being deleted.

    `known` are the endpoints found last time. Raises RayUnclear.
    """
    try:
        details = _DECODER.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # ValidationError is a DecodeError
        raise RayUnclear(f"the answer is not what Ray Serve gives: {error}") from None
    if details.target_groups is None:
        raise RayUnclear("Ray Serve is not running (there is no controller)")
    who = details.controller_info
    app = details.applications.get(application)
    if app is not None and not app.deployments and app.status != "DELETING":
        raise RayUnclear(f"Ray Serve builds {application!r} anew ({app.status}) and does not tell of its replicas")
    endpoints = () if app is None else _endpoints_of(app, application, details.target_groups, known)
    proxy = None if app is None or endpoints else _proxy_of(application, details.target_groups)
    return Told(endpoints, f"{who.actor_id or ''}/{who.worker_id or ''}".strip("/"), proxy)


def _proxy_of(application: str, groups: Iterable[_Group]) -> str | None:
    return next(
        (
            _url(target, group)
            for group in groups
            if group.app_name == application and group.protocol == "HTTP"
            for target in group.targets
            if not target.name.startswith(_REPLICA_PREFIX) and target.port > 0
        ),
        None,
    )


def _endpoints_of(
    app: _Application, application: str, groups: Iterable[_Group], known: Iterable[Endpoint]
) -> tuple[Endpoint, ...]:
    states = {
        replica.actor_name: replica.state
        for deployment in app.deployments.values()
        for replica in deployment.replicas
        if replica.actor_name is not None
    }
    doors = {
        target.name: Endpoint(id=_id(target.name), url=_url(target, group))
        for group in groups
        if group.app_name == application and group.protocol == "HTTP"
        for target in group.targets
        if target.name in states and target.port > 0
    }
    serving = [door for name, door in doors.items() if states[name] == "RUNNING"]
    serving = serving or [door for name, door in doors.items() if states[name] == "PENDING_MIGRATION"]
    kept = {_id(name) for name, state in states.items() if state in _STILL_SERVING}
    serving += [each for each in known if each.id in kept]
    if not serving and "RUNNING" in states.values():
        raise RayUnclear(
            f"the replicas of {application!r} run but have no port of their own: "
            "Ray needs RAY_SERVE_ENABLE_DIRECT_INGRESS=1"
        )
    return tuple(serving)


def _id(actor_name: str) -> EndpointId:
    return EndpointId(actor_name.removeprefix(_REPLICA_PREFIX))


def _url(target: _Target, group: _Group) -> str:
    """The application's address there: each answers below its own prefix, which no two of a cluster share."""
    host = f"[{target.ip}]" if ":" in target.ip else target.ip
    return f"http://{host}:{target.port}{group.route_prefix.rstrip('/')}"
