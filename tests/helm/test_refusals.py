"""What must not be installed is refused before anything is made.

A typo is refused with its path, what cannot be with a sentence that says what to change.
"""

from typing import Any

import pytest

from serving.engine import OWNED
from tests.helm.render import CHART, Refused, render, run

POCKET: dict[str, Any] = {"model": "pocket", "preset": "cpu"}
MISTRAL: dict[str, Any] = {"model": "mistral-small-3.1-24b", "preset": "h100"}
DOWNLOAD = {"repository": "mistralai/Mistral-Small-3.1-24B-Instruct-2503", "revision": "main", "folder": "mistral"}
MODEL: dict[str, Any] = {
    "id": "acme/embedder",
    "context_length": 8192,
    "pools": [
        {
            "name": "embedder",
            "upstream_model": "e",
            "discovery": {"kind": "static", "endpoints": ["http://10.0.0.7:80"]},
        }
    ],
}


def pocket(**more: Any) -> dict[str, Any]:
    return {"deployment": POCKET | more.pop("deployment", {}), **more}


def mistral(**more: Any) -> dict[str, Any]:
    return {"deployment": MISTRAL | more.pop("deployment", {}), **more}


TYPOS: list[tuple[dict[str, Any], str]] = [
    ({"engine": {}}, "- (root): Additional property engine is not allowed"),
    ({"images": {"routers": {}}}, "- images: Additional property routers is not allowed"),
    ({"images": {"router": {"tags": "1"}}}, "- images.router: Additional property tags is not allowed"),
    ({"engines": {"pocket": pocket(modell={})}}, "- engines.pocket: Additional property modell is not allowed"),
    (
        {"engines": {"pocket": pocket(deployment={"replica": 2})}},
        "- engines.pocket.deployment: Additional property replica is not allowed",
    ),
    (
        {"engines": {"pocket": pocket(deployment={"autoscaling": {"max_replica": 2}})}},
        "- engines.pocket.deployment.autoscaling: Additional property max_replica is not allowed",
    ),
    (
        {"engines": {"pocket": pocket(deployment={"drain": {"timeout": 5}})}},
        "- engines.pocket.deployment.drain: Additional property timeout is not allowed",
    ),
    (
        {"engines": {"pocket": pocket(workers={"hostPerReplica": 2})}},
        "- engines.pocket.workers: Additional property hostPerReplica is not allowed",
    ),
    (
        {"engines": {"pocket": pocket(workers={"resources": {"request": {}}})}},
        "- engines.pocket.workers.resources: Additional property request is not allowed",
    ),
    (
        {"engines": {"pocket": pocket(pool={"prize": {}})}},
        "- engines.pocket.pool: Additional property prize is not allowed",
    ),
    (
        {"engines": {"pocket": pocket(model={"pools": [{"name": "p", "upstream": "q"}]})}},
        "- engines.pocket.model.pools.0: Additional property upstream is not allowed",
    ),
    ({"workers": {"toleration": []}}, "- workers: Additional property toleration is not allowed"),
    (
        {"workers": {"tolerations": [{"key": "k", "operater": "Exists"}]}},
        "- workers.tolerations.0: Additional property operater is not allowed",
    ),
    (
        {"ray": {"gcsFaultTolerance": {"redis": {"adress": "r:1"}}}},
        "- ray.gcsFaultTolerance.redis: Additional property adress is not allowed",
    ),
    (
        {"weights": {"download": {"models": [DOWNLOAD | {"revison": "main"}]}}},
        "- weights.download.models.0: Additional property revison is not allowed",
    ),
    ({"router": {"config": {"lisen": {}}}}, "- router.config: Additional property lisen is not allowed"),
    (
        {"router": {"config": {"listen": {"drain": 5}}}},
        "- router.config.listen: Additional property drain is not allowed",
    ),
    (
        {"router": {"config": {"providers": [{"slug": "p", "url": "https://p", "keys": {}}]}}},
        "- router.config.providers.0: Additional property keys is not allowed",
    ),
    (
        {"router": {"models": [MODEL | {"context": 5}]}},
        "- router.models.0: Additional property context is not allowed",
    ),
    (
        {"router": {"models": [MODEL | {"pools": [MODEL["pools"][0] | {"discovery": {"kind": "statik"}}]}]}},
        "- router.models.0.pools.0.discovery.kind: router.models.0.pools.0.discovery.kind must be one of the following",
    ),
    ({"router": {"drain": {"drainSecond": 5}}}, "- router.drain: Additional property drainSecond is not allowed"),
    ({"gateway": {"parents": [{"nam": "g"}]}}, "- gateway.parents.0: name is required"),
    ({"database": {"embeded": {}}}, "- database: Additional property embeded is not allowed"),
    (
        {"networkPolicy": {"clients": [{"podSelektor": {}}]}},
        "- networkPolicy.clients.0: Additional property podSelektor is not allowed",
    ),
    (
        {"scaledEngines": {"e": {"pool": "e", "target": {"name": "e"}, "maxReplicas": 1, "maximum": 2}}},
        "- scaledEngines.e: Additional property maximum is not allowed",
    ),
]

WRONG_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"images": {"pullPolicy": "Sometimes"}}, "- images.pullPolicy: images.pullPolicy must be one of the following"),
    ({"images": {"registry": "https://registry.internal"}}, "- images.registry: Does not match pattern"),
    ({"engines": {"pocket": {}}}, "- engines.pocket: deployment is required"),
    ({"engines": {"pocket": {"deployment": {"model": "pocket"}}}}, "- engines.pocket.deployment: preset is required"),
    (
        {"engines": {"pocket": pocket(deployment={"replicas": "two"})}},
        "- engines.pocket.deployment.replicas: Invalid type. Expected: integer, given: string",
    ),
    (
        {"engines": {"pocket": pocket(deployment={"replicas": 0})}},
        "- engines.pocket.deployment.replicas: Must be greater than or equal to 1",
    ),
    ({"weights": {"accessMode": "ReadMany"}}, "- weights.accessMode: weights.accessMode must be one of the following"),
    ({"weights": {"size": "100GB"}}, "- weights.size: Does not match pattern"),
    ({"router": {"replicas": 0}}, "- router.replicas: Must be greater than or equal to 1"),
    ({"router": {"drain": {"leaveSeconds": "10s"}}}, "- router.drain.leaveSeconds: Invalid type. Expected: integer"),
    ({"router": {"callers": ["a b"]}}, "- router.callers.0: Does not match pattern"),
    ({"router": {"callers": ["a", "a"]}}, "- router.callers: array items[0,1] must be unique"),
    ({"router": {"config": {"limits": {"images": "many"}}}}, "- router.config.limits.images: Invalid type"),
    ({"router": {"autoscaling": {"kind": "vpa"}}}, "- router.autoscaling.kind: router.autoscaling.kind must be one of"),
    ({"service": {"port": 70000}}, "- service.port: Must be less than or equal to 65535"),
    ({"networkPolicy": {"weightsFrom": ["10.0.0.0"]}}, "- networkPolicy.weightsFrom.0: Does not match pattern"),
    ({"monitoring": {"interval": "15"}}, "- monitoring.interval: Does not match pattern"),
]

# What each is otherwise, unless it names engines of its own.
FINE: dict[str, Any] = {"engines": {"pocket": pocket()}}
IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    (
        {"engines": {}},
        "engines is empty, and so is router.models: there is nothing to serve. The smallest values file is one line: ",
    ),
    (
        {"database": {"external": {"secret": "db"}, "embedded": {"enabled": True}}},
        "database: external.secret and embedded.enabled are both set; keep one of them",
    ),
    (
        {"router": {"callers": []}},
        "router.callers is empty and there is no database, so nobody could call: name callers, or set",
    ),
    (
        {"router": {"config": {"database": {"url": {"value": "sqlite+aiosqlite:////tmp/a.db"}}}}},
        "router.config.database.url: SQLite is a file of one router, and there can be 2 routers",
    ),
    (
        {"database": {"embedded": {"enabled": True}}, "router": {"config": {"database": {"url": {"env": "URL"}}}}},
        "router.config.database.url and the values' database are both set; keep one of them",
    ),
    (
        {"router": {"autoscaling": {"kind": "hpa", "minReplicas": 9}}},
        "router.autoscaling: minReplicas (9) is above maxReplicas (8); raise the one or lower the other",
    ),
    (
        {"router": {"replicas": 3, "autoscaling": {"kind": "keda"}}},
        "router.replicas is 3, but router.autoscaling.kind is keda, which decides their number: leave replicas out",
    ),
    (
        {"router": {"autoscaling": {"kind": "hpa"}, "resources": {"requests": {"cpu": None}}}},
        "router.resources.requests.cpu is not set, and router.autoscaling.targetCpuPercent is a share of it",
    ),
    (
        {"router": {"autoscaling": {"kind": "keda", "prometheus": ""}}},
        "router.autoscaling.prometheus is empty: KEDA asks Prometheus what waits in the routers; give its address",
    ),
    (
        {"router": {"podDisruptionBudget": {"maxUnavailable": 2}}},
        "router.podDisruptionBudget.maxUnavailable (2) lets all of 2 routers go at once: set it below that number",
    ),
    (
        {"router": {"config": {"listen": {"metrics": {"port": 9000}}}}},
        "router.config.listen.metrics.port is 9000, but probes and Services ask the pod at 9090: leave it out",
    ),
    (
        {"router": {"config": {"listen": {"port": 80}}}},
        "router.config.listen.port is 80, but probes and Services ask the pod at 8080: leave it out, and set servi",
    ),
    (
        {
            "engines": {"pocket": pocket(deployment={"autoscaling": {"min_replicas": 0, "max_replicas": 1}})},
            "router": {"config": {"waiting": {"room_s": 0}}},
        },
        "engines.pocket.deployment.autoscaling.min_replicas is 0, but router.config.waiting.room_s is 0",
    ),
    (
        {
            "networkPolicy": {"routersTo": []},
            "router": {"config": {"providers": [{"slug": "p", "url": "https://p.example"}]}},
        },
        "networkPolicy.routersTo is empty, but router.config.providers names providers, which routers then cannot",
    ),
    ({"ingress": {"enabled": True}}, "ingress.host is empty: an Ingress without a host would take every other name's"),
    ({"ingress": {"host": "llm.example.com"}}, "ingress.host is set, but ingress.enabled is false, so that nothing is"),
    (
        {"gateway": {"enabled": True}},
        "gateway.parents is empty: a route belongs to a Gateway; name it, e.g. [{name: public, namespace: gateways}]",
    ),
    ({"gateway": {"parents": [{"name": "g"}]}}, "gateway.parents is set, but gateway.enabled is false"),
    (
        {"gateway": {"enabled": True, "parents": [{"name": "g"}], "inferencePool": {"enabled": True}}},
        "gateway.inferencePool.endpointPicker.name is empty: a Gateway asks an endpoint picker for every request",
    ),
    (
        {"gateway": {"inferencePool": {"enabled": True, "endpointPicker": {"name": "picker"}}}},
        "gateway.inferencePool.enabled is true, but gateway.enabled is false, so that nothing is made",
    ),
    (
        {"ray": {"gcsFaultTolerance": {"backend": "redis"}}},
        "ray.gcsFaultTolerance.redis.address is empty: backend redis needs one, as host:port",
    ),
    (
        {"ray": {"gcsFaultTolerance": {"backend": "rocksdb", "redis": {"address": "redis:6379"}}}},
        "ray.gcsFaultTolerance.redis.address is set, but backend is rocksdb, which does not use it: set backend: redis",
    ),
    (
        {"ray": {"upgrade": {"type": "Incremental"}}},
        "ray.upgrade.gatewayClassName is empty: type Incremental moves traffic by a Gateway; name its class, or us",
    ),
    (
        {"ray": {"upgrade": {"gatewayClassName": "istio"}}},
        "ray.upgrade.gatewayClassName is set, but type is NewCluster, which does not use it: set type: Incremental",
    ),
    (
        {"engines": {"m": mistral(deployment={"preset": "b300"})}},
        "engines.m.deployment: there is no preset b300 of a model mistral-small-3.1-24b; model/preset can be",
    ),
    (
        {"engines": {"m": mistral(deployment={"replicas": 1, "autoscaling": {"max_replicas": 2}})}},
        "engines.m.deployment: replicas and autoscaling are both set; keep one of them",
    ),
    (
        {"engines": {"m": mistral(deployment={"autoscaling": {"min_replicas": 3, "max_replicas": 2}})}},
        "engines.m.deployment.autoscaling: min_replicas (3) is above max_replicas (2); raise the one or lower the",
    ),
    (
        {"engines": {"m": mistral(deployment={"pipeline_parallel_size": 3}, workers={"hostsPerReplica": 2})}},
        "engines.m.workers.hostsPerReplica is 2, which does not divide the replica's pipeline stages (3); a tensor",
    ),
    (
        {"engines": {"p": pocket(deployment={"pipeline_parallel_size": 2}, workers={"hostsPerReplica": 2})}},
        "engines.p.workers.hostsPerReplica is 2, but on CPU all of a replica's workers run on one node: set it to 1",
    ),
    (
        {"engines": {"m": mistral(workers={"resources": {"limits": {"nvidia.com/gpu": 1}}})}},
        "engines.m.workers.resources.limits: nvidia.com/gpu follows from the parallel sizes and hostsPerReplica; l",
    ),
    (
        {"engines": {"m": mistral(deployment={"source": "/weights/mistral"})}},
        "engines.m.deployment.source is /weights/mistral, on the weights' claim, but weights.enabled is false: set",
    ),
    (
        {"engines": {"m": mistral(deployment={"application": "other"})}},
        "engines.m.deployment.application is other: the engine's name is its application's; leave it out",
    ),
    (
        {"engines": {"m": mistral(deployment={"kv_events": {"port": 30500}})}},
        "engines.m.deployment.kv_events.port is 30500, among the ports at which replicas answer (30000 to 31000)",
    ),
    (
        {"engines": {"Mistral_Small": mistral()}},
        "engines.Mistral_Small: an engine's name is part of its pods' names: at most 40 lower-case letters, digits and",
    ),
    (
        {"weights": {"enabled": True}},
        "weights.download.models is empty, so the claim would stay empty: name what to download",
    ),
    (
        {"weights": {"download": {"models": [DOWNLOAD]}}},
        "weights.download.models is set, but weights.enabled is false, so that nothing is downloaded: set weights.",
    ),
    (
        {"weights": {"existingClaim": "models"}},
        "weights.existingClaim is set, but weights.enabled is false, so that it is not mounted: set weights.enable",
    ),
    (
        {"weights": {"enabled": True, "accessMode": "ReadOnlyMany", "download": {"models": [DOWNLOAD]}}},
        "weights.accessMode is ReadOnlyMany, which no job can fill: set weights.download.enabled: false and name",
    ),
    (
        {"weights": {"enabled": True, "accessMode": "ReadOnlyMany", "download": {"enabled": False}}},
        "weights.existingClaim is empty, and a new claim that is ReadOnlyMany can never be filled: name the claim",
    ),
    (
        {
            "engines": {"m": mistral(deployment={"replicas": 2})},
            "weights": {"enabled": True, "accessMode": "ReadWriteOnce", "download": {"models": [DOWNLOAD]}},
        },
        "weights.accessMode is ReadWriteOnce, a volume of one node, but there can be 2 engine pods on any nodes (m",
    ),
    (
        {"weights": {"enabled": True, "download": {"models": [DOWNLOAD, DOWNLOAD]}}},
        "weights.download.models: two of them go to the folder mistral; give each its own",
    ),
    (
        {
            "weights": {"enabled": True, "download": {"models": [DOWNLOAD]}},
            "networkPolicy": {"weightsFrom": []},
        },
        "networkPolicy.weightsFrom is empty, so the download job reaches nothing: add the networks of https://hugging",
    ),
    (
        {"engines": {"m": mistral()}, "networkPolicy": {"weightsFrom": []}},
        "engines.m.deployment.source is mistralai/Mistral-Small-3.1-24B-Instruct-2503, which the engine fetches at",
    ),
    (
        {
            "router": {"models": [MODEL]},
            "scaledEngines": {"e": {"pool": "embeder", "target": {"name": "e"}, "maxReplicas": 1}},
        },
        "scaledEngines.e.pool: there is no pool embeder; the pools of router.models are embedder",
    ),
    (
        {"scaledEngines": {"e": {"pool": "pocket", "target": {"name": "e"}, "maxReplicas": 1}}},
        "scaledEngines.e.pool is pocket, an engine of this chart, which Ray scales: set engines.pocket.deployment.auto",
    ),
    (
        {
            "router": {"models": [MODEL]},
            "scaledEngines": {"e": {"pool": "embedder", "target": {"name": "e"}, "minReplicas": 2, "maxReplicas": 1}},
        },
        "scaledEngines.e: minReplicas (2) is above maxReplicas (1); raise the one or lower the other",
    ),
    (
        {
            "router": {"models": [MODEL]},
            "scaledEngines": {"e": {"pool": "embedder", "target": {"name": "e"}, "maxReplicas": 1}},
        },
        "scaledEngines.e: pool embedder may be without an engine, and routers count as unready then, so that nobody's",
    ),
    (
        {"images": {"router": {"tag": "latest"}}},
        "images.router.tag is latest, which is another image every day: name a",
    ),
]


@pytest.mark.parametrize(("values", "sentence"), TYPOS, ids=[sentence for _, sentence in TYPOS])
def test_a_typo_is_refused_with_its_path(values: dict[str, Any], sentence: str) -> None:
    assert sentence in _refusal(values)


@pytest.mark.parametrize(("values", "sentence"), WRONG_VALUES, ids=[sentence for _, sentence in WRONG_VALUES])
def test_a_wrong_value_is_refused_with_its_path(values: dict[str, Any], sentence: str) -> None:
    assert sentence in _refusal(values)


@pytest.mark.parametrize(("values", "sentence"), IMPOSSIBLE, ids=[sentence[:60] for _, sentence in IMPOSSIBLE])
def test_what_cannot_be_is_refused_with_what_to_change(values: dict[str, Any], sentence: str) -> None:
    said = _refusal(values)

    assert f"\n- {sentence}" in said
    assert 1 == said.count("\n- "), "nothing else is wrong with these values"


def test_without_values_the_smallest_file_is_named_and_it_is_one() -> None:
    said = _refusal({})

    assert "engines is empty, and so is router.models" in said
    for smallest in (FINE, {"engines": {"mistral": {"deployment": MISTRAL | {"preset": "h200"}}}}):
        assert render(smallest)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = _refusal(
        {"engines": {"a": pocket(), "B": pocket()}, "ingress": {"enabled": True}, "router": {"callers": []}}
    )

    assert 3 == said.count("\n- ")


@pytest.mark.parametrize(
    ("release", "sentence"),
    [
        ("a" * 20, "the release's name gives objects called aaaaaaaaaaaaaaaaaaaa-tramontane, of 31 characters"),
        ("1st", "objects would be called 1st-tramontane, and a Service's name must begin with a lower-case letter"),
    ],
)
def test_a_release_whose_objects_could_not_be_named_is_refused(release: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        render(FINE, release=release)

    assert sentence in str(refused.value)
    assert render(FINE | {"fullnameOverride": "llm"}, release=release)


@pytest.mark.parametrize("argument", OWNED)
def test_what_the_engine_refuses_of_vllms_arguments_the_chart_refuses(argument: str) -> None:
    said = _refusal({"engines": {"p": pocket(deployment={"engine": {argument: "x"}})}})

    assert f"- engines.p.deployment.engine.{argument}: not here: {OWNED[argument]}\n" in said


def test_a_volume_of_one_node_is_fine_for_engines_that_are_tied_to_it() -> None:
    values = {
        "engines": {"m": mistral(deployment={"replicas": 2})},
        "workers": {"nodeSelector": {"kubernetes.io/hostname": "gpu-1"}},
        "weights": {"enabled": True, "accessMode": "ReadWriteOnce", "download": {"models": [DOWNLOAD]}},
    }

    assert render(values)


def test_lint_says_what_is_wrong_too() -> None:
    with pytest.raises(Refused, match="Additional property engine is not allowed"):
        run("lint", "--strict", str(CHART), "--set-json", "engine={}")


def _refusal(values: dict[str, Any]) -> str:
    with pytest.raises(Refused) as refused:
        render(values if not values or "engines" in values else FINE | values)
    return str(refused.value) + "\n"
