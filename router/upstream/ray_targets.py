"""What Ray Serve's REST API says of an application, to endpoints. Values only.

The document is that of `GET /api/serve/applications/` (Ray 2.60, `ray.serve.schema.ServeInstanceDetails`). Things in
it that are not what they seem:

- An application without a running replica is listed with the *proxies* as its targets. A target is a replica's own
  door only if its name is that of a replica of the application.
- A replica that is asked to stop leaves the target groups at once, while it still drains: absence means draining.
- A replica on a node that is being drained is `PENDING_MIGRATION`: it serves on until its successor runs, so it is
  used as long as there is no other.
- After a restart of Serve's controller the replicas are `RECOVERING` and in no target group, although they serve as
  before; those already known are kept.
- While there is no controller the document is empty: it says nothing about the replicas.
"""

from collections.abc import Iterable

import msgspec

from router.policy.catalog import Endpoint, EndpointId

_REPLICA_PREFIX = "SERVE_REPLICA::"


class RayUnclear(Exception):
    """The answer does not tell which endpoints there are. The message says why, for the log."""


class _Target(msgspec.Struct):
    ip: str
    port: int
    name: str


class _Group(msgspec.Struct):
    targets: list[_Target]
    protocol: str = "HTTP"
    app_name: str = ""


class _Replica(msgspec.Struct):
    state: str
    actor_name: str | None = None


class _Deployment(msgspec.Struct):
    replicas: list[_Replica] = []


class _Application(msgspec.Struct):
    deployments: dict[str, _Deployment] = {}


class _Details(msgspec.Struct):
    applications: dict[str, _Application]
    target_groups: list[_Group] | None = None


_DECODER = msgspec.json.Decoder(_Details)


def endpoints_of(document: bytes, application: str, known: Iterable[Endpoint] = ()) -> tuple[Endpoint, ...]:
    """The direct doors of the application's serving replicas; none if it is not deployed.

    `known` are the endpoints found last time. Raises RayUnclear.
    """
    try:
        details = _DECODER.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # ValidationError is a DecodeError
        raise RayUnclear(f"the answer is not what Ray Serve gives: {error}") from None
    if details.target_groups is None:
        raise RayUnclear("Ray Serve is not running (there is no controller)")
    app = details.applications.get(application)
    if app is None:
        return ()
    states = {
        replica.actor_name: replica.state
        for deployment in app.deployments.values()
        for replica in deployment.replicas
        if replica.actor_name is not None
    }
    doors = {
        target.name: Endpoint(id=_id(target.name), url=_url(target.ip, target.port))
        for group in details.target_groups
        if group.app_name == application and group.protocol == "HTTP"
        for target in group.targets
        if target.name in states and target.port > 0
    }
    serving = [door for name, door in doors.items() if states[name] == "RUNNING"]
    serving = serving or [door for name, door in doors.items() if states[name] == "PENDING_MIGRATION"]
    recovering = {_id(name) for name, state in states.items() if state == "RECOVERING"}
    serving += [each for each in known if each.id in recovering]
    if not serving and "RUNNING" in states.values():
        raise RayUnclear(
            f"the replicas of {application!r} run but have no port of their own: "
            "Ray needs RAY_SERVE_ENABLE_DIRECT_INGRESS=1"
        )
    return tuple(serving)


def _id(actor_name: str) -> EndpointId:
    return EndpointId(actor_name.removeprefix(_REPLICA_PREFIX))


def _url(ip: str, port: int) -> str:
    return f"http://[{ip}]:{port}" if ":" in ip else f"http://{ip}:{port}"
