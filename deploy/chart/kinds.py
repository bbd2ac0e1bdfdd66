"""What values of the chart are, beyond what their defaults show: the schema's words for them.

A list or a mapping that is empty by default says nothing of what it may hold, so each has its entry here; without one
the schema cannot be made.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}  # labels, annotations, selectors
FREE: Schema = {"type": "object"}  # Kubernetes checks it
# an object's name, or nothing
NAME: Schema = {"type": "string", "maxLength": 253, "pattern": r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"}
GIVEN_NAME: Schema = NAME | {"minLength": 1}
QUANTITY: Schema = {
    "type": ["string", "number"],
    "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$",
}
QUANTITIES: Schema = {"type": "object", "additionalProperties": QUANTITY}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
SECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": 86400}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]+(ms|s|m|h))+$"}
CIDR: Schema = {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"}
URL: Schema = {"type": "string", "pattern": r"^https?://[^\s]+$"}


def count(least: int, most: int) -> Schema:
    """A whole number between these."""
    return {"type": "integer", "minimum": least, "maximum": most}


def one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def listed(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items} | more


def closed(properties: dict[str, Schema], *required: str) -> Schema:
    """An object with these keys and no others."""
    made: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return made | {"required": list(required)} if required else made


def pattern(expression: str) -> Schema:
    return {"type": "string", "pattern": expression}


def reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


RESOURCES: Schema = closed({"requests": QUANTITIES, "limits": QUANTITIES, "claims": listed(FREE)})
TOLERATION: Schema = closed(
    {
        "key": TEXT,
        "operator": one_of("Exists", "Equal", "Lt", "Gt"),
        "value": TEXT,
        "effect": one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": {"type": "integer"},
    }
)
VARIABLE: Schema = closed({"name": pattern(r"^[A-Za-z_][A-Za-z0-9_.-]*$"), "value": TEXT, "valueFrom": FREE}, "name")
PEER: Schema = closed({"podSelector": FREE, "namespaceSelector": FREE, "ipBlock": FREE}) | {"minProperties": 1}

SHARED: dict[str, Schema] = {
    "cidrs": listed(CIDR),
    "environment": listed(VARIABLE),
    "labels": TEXTS,
    "name": NAME,
    "peers": listed(PEER),
    "quantity": QUANTITY,
    "resources": RESOURCES,
    "tolerations": listed(TOLERATION),
}
"""Definitions that several values refer to."""

ENGINE: Schema = closed(
    {
        "deployment": reference("deployment"),
        "workers": reference("workers"),
        "model": reference("model~"),
        "pool": reference("pool~"),
    },
    "deployment",
)
SCALED_ENGINE: Schema = closed(
    {
        "pool": {"type": "string", "minLength": 1, "maxLength": 64},
        "target": closed({"kind": TEXT, "name": GIVEN_NAME, "apiVersion": TEXT}, "name"),
        "minReplicas": count(0, 10_000),
        "maxReplicas": count(1, 10_000),
        "perReplica": {"type": "number", "exclusiveMinimum": 0},
    },
    "pool",
    "target",
    "maxReplicas",
)
DOWNLOAD: Schema = closed(
    {
        "repository": pattern(r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"),
        "revision": pattern(r"^[A-Za-z0-9._/-]+$"),
        "folder": pattern(r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        "files": listed({"type": "string", "minLength": 1}, minItems=1),
    },
    "repository",
    "folder",
)
PARENT: Schema = closed({"name": GIVEN_NAME, "namespace": NAME, "sectionName": NAME, "port": PORT}, "name")

BY_KEY: dict[str, Schema] = {
    "affinity": FREE,
    "annotations": reference("labels"),
    "digest": pattern(r"^(sha256:[0-9a-f]{64})?$"),
    "env": reference("environment"),
    "nodeSelector": reference("labels"),
    "podAnnotations": reference("labels"),
    "podLabels": reference("labels"),
    "priorityClassName": reference("name"),
    "resources": reference("resources"),
    "runtimeClassName": reference("name"),
    "size": reference("quantity"),
    "storageClass": reference("name"),
    "tag": pattern(r"^[A-Za-z0-9_.-]{0,128}$"),
    "tolerations": reference("tolerations"),
    "topologySpreadConstraints": listed(FREE),
}
"""Of every value whose last key is this."""

BY_NAME: dict[str, Schema] = {
    "commonLabels": reference("labels"),
    "database.external.secret": reference("name"),
    "engines": {"type": "object", "additionalProperties": ENGINE},
    "extraObjects": listed({"type": ["object", "string"]}),
    "gateway.hostnames": listed(GIVEN_NAME),
    "gateway.inferencePool.endpointPicker": closed({"name": NAME, "port": PORT}),
    "gateway.parents": listed(PARENT),
    "images.pullPolicy": one_of("IfNotPresent", "Always", "Never"),
    "images.pullSecrets": listed(GIVEN_NAME),
    "images.registry": pattern(r"^([A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?)?$"),
    "ingress.controller": one_of("nginx", "traefik", "haproxy", "alb", "none"),
    "ingress.host": pattern(r"^((\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"),
    "ingress.tlsSecret": reference("name"),
    "monitoring.dashboardLabels": reference("labels"),
    "monitoring.interval": DURATION,
    "monitoring.labels": reference("labels"),
    "networkPolicy.apiServerPorts": listed(PORT),
    "networkPolicy.apiServers": reference("cidrs"),
    "networkPolicy.clients": reference("peers"),
    "networkPolicy.databasePort": PORT,
    "networkPolicy.operatorNamespace": reference("name"),
    "networkPolicy.redisPort": PORT,
    "networkPolicy.routersTo": reference("cidrs"),
    "networkPolicy.scrapers": reference("peers"),
    "networkPolicy.weightsFrom": reference("cidrs"),
    "ray.gcsFaultTolerance.backend": one_of("none", "redis", "rocksdb"),
    "ray.gcsFaultTolerance.redis.address": pattern(r"^([^/\s]+:[0-9]+)?$"),
    "ray.gcsFaultTolerance.redis.passwordSecret": reference("name"),
    "ray.gcsFaultTolerance.storage": closed({"size": QUANTITY, "className": NAME}),
    "ray.tokenSecret": reference("name"),
    "ray.upgrade.intervalSeconds": SECONDS,
    "ray.upgrade.stepPercent": count(1, 100),
    "ray.upgrade.surgePercent": count(1, 100),
    "ray.upgrade.type": one_of("NewCluster", "Incremental", "None"),
    "ray.version": pattern(r"^[0-9]+\.[0-9]+\.[0-9]+$"),
    "router.autoscaling.kind": one_of("none", "hpa", "keda"),
    "router.autoscaling.maxReplicas": count(1, 1000),
    "router.autoscaling.minReplicas": count(1, 1000),
    "router.autoscaling.prometheus": pattern(r"^(https?://[^\s]+)?$"),
    "router.autoscaling.targetCpuPercent": count(1, 1000),
    "router.autoscaling.targetInFlight": count(1, 100_000),
    "router.callers": listed(pattern(r"^[A-Za-z0-9]([-._A-Za-z0-9]{0,62}[A-Za-z0-9])?$"), uniqueItems=True),
    "router.callersSecret": reference("name"),
    "router.config": reference("router~"),
    "router.drain.drainSeconds": count(1, 86_400),
    "router.drain.leaveSeconds": SECONDS,
    "router.managementKeySecret": reference("name"),
    "router.meshSecret": reference("name"),
    "router.models": listed(reference("model")),
    "router.podDisruptionBudget": closed(
        {"enabled": BOOLEAN, "maxUnavailable": {"type": ["integer", "string"], "minimum": 1, "pattern": "^[0-9]+%$"}}
    ),
    "router.replicas": count(1, 1000),
    "router.secrets": listed(GIVEN_NAME, uniqueItems=True),
    "router.spool": closed({"size": QUANTITY, "storageClass": NAME}),
    "scaledEngines": {"type": "object", "additionalProperties": SCALED_ENGINE},
    "service.port": PORT,
    "service.type": one_of("ClusterIP", "NodePort", "LoadBalancer"),
    "serviceAccount.engines": reference("name"),
    "serviceAccount.router": reference("name"),
    "weights.accessMode": one_of("ReadWriteMany", "ReadOnlyMany", "ReadWriteOnce"),
    "weights.download.endpoint": URL,
    "weights.download.models": listed(DOWNLOAD),
    "weights.download.tokenSecret": reference("name"),
    "weights.existingClaim": reference("name"),
    "workers.gpuResource": pattern(r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$"),
    "workers.hostsPerReplica": count(1, 64),
    "workers.scratch": reference("quantity"),
    "workers.sharedMemory": reference("quantity"),
    "workers.startMinutes": count(1, 1440),
}
"""Of single values, by their whole path."""
