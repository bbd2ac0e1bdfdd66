"""What an object names is there: no schema sees that a Service selects nobody, or that a volume is mounted nowhere."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.helm.pods import Pods, pods
from tests.helm.render import Object
from tests.helm.shapes import Shape, every_shape

# What the shapes' values name, and the cluster is to have.
YOURS = {
    ("Secret", "hub-token"),
    ("Secret", "my-key"),
    ("Secret", "my-mesh"),
    ("Secret", "my-token"),
    ("Secret", "provider-keys"),
    ("Secret", "redis-password"),
    ("Secret", "registry-credentials"),
    ("Secret", "router-tls"),
    ("Secret", "tramontane-database"),
    ("PersistentVolumeClaim", "models"),
    ("PersistentVolumeClaim", "my-weights"),
    ("Service", "picker"),
    ("ServiceAccount", "my-engines"),
    ("ServiceAccount", "my-router"),
    ("ServiceAccount", "default"),
    ("Deployment", "embedder"),  # of extraObjects or another release
}


@every_shape
def test_pods_name_what_is_there(shape: Shape) -> None:
    objects = shape.objects()
    there = {(thing["kind"], thing["metadata"]["name"]) for thing in objects} | YOURS

    assert [] == [f"{at.owner}: {kind} {name}" for at in pods(objects) for kind, name in _named(at) - there]


@every_shape
def test_keys_of_the_charts_own_secrets_and_maps_are_there(shape: Shape) -> None:
    objects = shape.objects()
    keys = {
        (thing["kind"], thing["metadata"]["name"]): {
            *thing.get("data", {}),
            *thing.get("stringData", {}),
            *thing.get("binaryData", {}),
        }
        for thing in objects
        if thing["kind"] in ("Secret", "ConfigMap")
    }

    assert [] == [
        f"{at.owner}: {kind} {name} has no {key}"
        for at in pods(objects)
        for kind, name, key in _named_keys(at)
        if (kind, name) in keys and key not in keys[kind, name]
    ]


@every_shape
def test_what_is_mounted_is_a_volume_and_every_volume_is_mounted(shape: Shape) -> None:
    objects = shape.objects()
    claims = {
        f"StatefulSet {thing['metadata']['name']}": [
            claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])
        ]
        for thing in objects
        if thing["kind"] == "StatefulSet"
    }
    for at in pods(objects):
        volumes = [volume["name"] for volume in at.spec.get("volumes", [])] + claims.get(at.owner, [])
        mounts = {mount["name"] for container in at.containers for mount in container.get("volumeMounts", [])}

        assert set(volumes) == mounts, at.owner
        assert len(volumes) == len(set(volumes)), at.owner


@every_shape
def test_names_within_a_pod_are_there_once(shape: Shape) -> None:
    for at in pods(shape.objects()):
        names = [container["name"] for container in at.containers]
        assert len(names) == len(set(names)), at.owner
        for container in at.containers:
            for key in ("env", "ports"):
                given = [each["name"] for each in container.get(key, [])]
                assert len(given) == len(set(given)), f"{at.owner} {container['name']} {key}"
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths)), f"{at.owner} {container['name']} volumeMounts"


@every_shape
def test_probes_and_services_ask_ports_that_pods_have(shape: Shape) -> None:
    objects = shape.objects()
    found = pods(objects)
    for at in found:
        for container in at.containers:
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                for way in ("httpGet", "tcpSocket"):
                    port = container.get(name, {}).get(way, {}).get("port")
                    assert port is None or port in at.ports(), f"{at.owner} {container['name']} {name}: {port}"
    for service in (thing for thing in objects if thing["kind"] == "Service" and thing["spec"].get("selector")):
        selected = [at for at in found if at.matches({"matchLabels": service["spec"]["selector"]})]
        assert selected, f"Service {service['metadata']['name']} selects nobody"
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            assert any(target in at.ports() for at in selected), f"Service {service['metadata']['name']}: {target}"


@every_shape
def test_selectors_of_workloads_match_their_own_pods_and_no_others(shape: Shape) -> None:
    objects = shape.objects()
    found = pods(objects)
    for thing in objects:
        if thing["kind"] in ("Deployment", "StatefulSet"):
            owner = f"{thing['kind']} {thing['metadata']['name']}"
            assert [owner] == [at.owner for at in found if at.matches(thing["spec"]["selector"])]


@every_shape
def test_every_policy_budget_and_monitor_is_about_somebody(shape: Shape) -> None:
    objects = shape.objects()
    found = pods(objects)
    services = [thing for thing in objects if thing["kind"] == "Service"]
    for thing in objects:
        name, spec = f"{thing['kind']} {thing['metadata']['name']}", thing.get("spec", {})
        if thing["kind"] in ("PodDisruptionBudget", "InferencePool", "PodMonitor"):
            assert _some(found, spec["selector"]), name
        if thing["kind"] == "NetworkPolicy":
            assert _some(found, spec["podSelector"]), name
            for selector in _peers(spec):
                assert _some(found, selector), f"{name}: no pod of the release has {selector}"
        if thing["kind"] == "ServiceMonitor":
            wanted = spec["selector"]["matchLabels"].items()
            chosen = [each for each in services if wanted <= each["metadata"]["labels"].items()]
            assert chosen, name
            ports = {port["name"] for each in chosen for port in each["spec"]["ports"]}
            assert {endpoint["port"] for endpoint in spec["endpoints"]} <= ports, name
        for endpoint in spec.get("podMetricsEndpoints", []) if thing["kind"] == "PodMonitor" else []:
            selected = [at for at in found if at.matches(spec["selector"])]
            assert all(endpoint["port"] in at.ports() for at in selected), f"{name}: {endpoint['port']}"


@every_shape
def test_what_scales_routes_or_allows_names_what_is_there(shape: Shape) -> None:
    objects = shape.objects()
    there = {(thing["kind"], thing["metadata"]["name"]) for thing in objects} | YOURS

    assert [] == [
        f"{thing['kind']} {thing['metadata']['name']}: {named}"
        for thing in objects
        for named in _named_by(thing)
        if named not in there
    ]


def _some(found: Iterable[Pods], selector: Mapping[str, Any]) -> bool:
    return any(at.matches(selector) for at in found)


def _peers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of a NetworkPolicy: those in its own namespace."""
    rules = [*spec.get("ingress", []), *spec.get("egress", [])]
    for peer in (peer for rule in rules for peer in [*rule.get("from", []), *rule.get("to", [])]):
        if "podSelector" in peer and "namespaceSelector" not in peer:
            yield peer["podSelector"]


def _named_by(thing: Object) -> Iterator[tuple[str, str]]:
    spec = thing.get("spec", {})
    if thing["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
        target = spec["scaleTargetRef"]
        yield target.get("kind", "Deployment"), target["name"]
    elif thing["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        yield thing["roleRef"]["kind"], thing["roleRef"]["name"]
        yield from ((subject["kind"], subject["name"]) for subject in thing["subjects"])
    elif thing["kind"] == "Ingress":
        for rule in spec["rules"]:
            yield from (("Service", path["backend"]["service"]["name"]) for path in rule["http"]["paths"])
        yield from (("Secret", each["secretName"]) for each in spec.get("tls", []))
    elif thing["kind"] == "HTTPRoute":
        for rule in spec["rules"]:
            yield from ((reference.get("kind", "Service"), reference["name"]) for reference in rule["backendRefs"])
    elif thing["kind"] == "InferencePool":
        yield "Service", spec["endpointPickerRef"]["name"]


def _named(at: Pods) -> set[tuple[str, str]]:
    spec = at.spec
    named = {("Secret", each["name"]) for each in spec.get("imagePullSecrets", [])}
    named |= {("ServiceAccount", spec[key]) for key in ("serviceAccountName",) if key in spec}
    for volume in spec.get("volumes", []):
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            if "configMap" in source:
                named.add(("ConfigMap", source["configMap"]["name"]))
            if "secret" in source:
                secret = source["secret"]
                named.add(("Secret", secret.get("secretName") or secret["name"]))
        if "persistentVolumeClaim" in volume:
            named.add(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
    return named | {(kind, name) for kind, name, _ in _named_keys(at)}


def _named_keys(at: Pods) -> Iterator[tuple[str, str, str]]:
    """Kind, name and key."""
    for container in at.containers:
        for variable in container.get("env", []):
            for word, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if reference := variable.get("valueFrom", {}).get(word):
                    yield kind, reference["name"], reference["key"]
    for volume in at.spec.get("volumes", []):
        for item in volume.get("secret", {}).get("items", []):
            yield "Secret", volume["secret"]["secretName"], item["key"]
        for item in volume.get("configMap", {}).get("items", []):
            yield "ConfigMap", volume["configMap"]["name"], item["key"]
