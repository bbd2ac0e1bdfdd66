"""The RayService: accepted by `serving`, placed by Ray, changed in place where that can be."""

from typing import Any

import pytest
import yaml

from deploy.chart.deployment import applications, groups, unplaced, wanted
from serving.config import Autoscaling, Deployment, KVEvents
from serving.profiles import find
from tests.helm.rayservices import (
    MISTRAL,
    POCKET,
    cluster,
    every_shape,
    only,
    service,
)
from tests.helm.render import Refused, one, render
from tests.helm.shapes import Shape


@every_shape
def test_serving_accepts_every_application_and_the_pods_hold_what_it_asks_for(shape: Shape) -> None:
    found = one(shape.objects(), "RayService")
    of_group = {group.name: group for group in groups(found)}

    names = [application.name for application in applications(found)]
    assert sorted(of_group) == sorted(names)
    for application in applications(found):
        group = of_group[application.name]
        own = f"engine-{application.name}"
        expected = [bundle | {own: 1} for bundle in wanted(application.deployment)]
        assert expected == list(application.bundles())
        assert [] == unplaced(application.bundles(), group)
        assert group.gpus == group.offers["GPU"]
        assert len(expected) == group.offers[own] * group.pods, "a pod would hold more than one replica's share"


@every_shape
def test_an_engine_never_finds_room_among_the_others(shape: Shape) -> None:
    found = one(shape.objects(), "RayService")
    for application in applications(found):
        for group in groups(found):
            if group.name != application.name:
                assert list(application.bundles()) == unplaced(application.bundles(), group)


def test_the_smallest_values_are_one_engine_in_one_pod() -> None:
    found = service()
    application, group = only(found)

    assert Deployment(**MISTRAL, application="mine", kv_events=KVEvents(port=31100)) == application.deployment
    assert ({"CPU": 2.0, "GPU": 1.0, "engine-mine": 1, "accelerator_type:H100": 1}, 1) == (group.offers, group.pods)
    assert {"num_replicas": 1} == {key: value for key, value in application.options.items() if "replicas" in key}


def test_every_key_of_a_deployment_reaches_serving() -> None:
    given = {
        **POCKET,
        "model_id": "acme/pocket",
        "cpus_per_replica": 1.5,
        "cpus_per_worker": 2,
        "tensor_parallel_size": 2,
        "max_ongoing_requests": 7,
        "max_queued_requests": 8,
        "retry_after_s": 9,
        "engine": {"max_model_len": 1024},
        "environment": {"A": "1"},
        "health": {"stall_s": 60},
        "drain": {"timeout_s": 90.5},
        "kv_events": {"enabled": False, "port": 31500},
    }
    application, group = only(service(given))

    assert Deployment(**given, application="mine") == application.deployment
    assert 6.0 == group.offers["CPU"]  # 1.5 + 2 x 2, rounded up
    assert [] == unplaced(application.bundles(), group)


def test_a_change_of_the_number_changes_no_argument_by_which_serve_would_replace_replicas() -> None:
    texts = [
        service({**MISTRAL, **more})
        for more in ({}, {"replicas": 3}, {"autoscaling": {"max_replicas": 4}}, {"autoscaling": {"max_replicas": 9}})
    ]

    arguments = [yaml.safe_load(it["spec"]["serveConfigV2"])["applications"][0]["args"] for it in texts]
    assert all(arguments[0] == each for each in arguments)


def test_a_change_of_a_deployment_changes_the_cluster_only_where_its_pods_do() -> None:
    before = service()

    changed = service({**MISTRAL, "engine": {"max_num_seqs": 64}, "health": {"stall_s": 60}})
    assert before["spec"]["serveConfigV2"] != changed["spec"]["serveConfigV2"]
    assert cluster(before) == cluster(changed)
    assert cluster(before) != cluster(service({**MISTRAL, "tensor_parallel_size": 2}))


@pytest.mark.parametrize("bounds", [{}, {"min_replicas": 0}, {"min_replicas": 2}])
def test_scaling_has_servings_defaults_and_not_rays(bounds: dict[str, int]) -> None:
    found = service({**MISTRAL, "autoscaling": {"max_replicas": 4, **bounds}})
    application, _ = only(found)

    expected = Autoscaling(max_replicas=4, **bounds)
    assert expected.model_dump() == application.options["autoscaling_config"]
    assert "auto" == application.options["num_replicas"]
    (group,) = cluster(found)["workerGroupSpecs"]
    assert (expected.min_replicas, expected.min_replicas, 4) == (
        group["replicas"],
        group["minReplicas"],
        group["maxReplicas"],
    )
    assert cluster(found)["enableInTreeAutoscaling"]
    assert "v2" == cluster(found)["autoscalerOptions"]["version"]


def test_without_scaling_there_is_no_autoscaler_and_no_token_for_the_api() -> None:
    made = cluster(service({**MISTRAL, "replicas": 3}))

    assert "enableInTreeAutoscaling" not in made
    assert not made["headGroupSpec"]["template"]["spec"]["automountServiceAccountToken"]
    assert {3} == {made["workerGroupSpecs"][0][key] for key in ("replicas", "minReplicas", "maxReplicas")}


def test_a_replica_over_several_hosts_takes_as_many_pods() -> None:
    given = {**MISTRAL, "preset": "2x48gb", "pipeline_parallel_size": 4}
    application, group = only(service(given, hostsPerReplica=2))

    assert (2, 4, 5.0) == (group.pods, group.gpus, group.offers["CPU"])
    assert 8 == len(application.bundles())


def test_each_engine_has_a_path_of_its_own_as_serve_demands() -> None:
    values = {"engines": {"one": {"deployment": POCKET}, "two": {"deployment": {**POCKET, "route_prefix": "/2"}}}}
    told = yaml.safe_load(one(render(values), "RayService")["spec"]["serveConfigV2"])

    assert ["/one", "/2"] == [each["route_prefix"] for each in told["applications"]]
    assert ("HeadOnly", "0.0.0.0") == (told["proxy_location"], told["http_options"]["host"])


def test_an_old_cluster_stays_until_its_longest_answers_have_ended() -> None:
    values = {"engines": {"a": {"deployment": POCKET}, "b": {"deployment": {**POCKET, "drain": {"timeout_s": 900}}}}}

    assert 960 == one(render(values), "RayService")["spec"]["rayClusterDeletionDelaySeconds"]


def test_the_gcs_can_outlive_its_head() -> None:
    redis = {"backend": "redis", "redis": {"address": "redis:6379", "passwordSecret": "mine"}}
    rocksdb = {"backend": "rocksdb", "storage": {"size": "7Gi", "className": "fast"}}

    assert "gcsFaultToleranceOptions" not in cluster(service())
    made = cluster(service(MISTRAL, {"ray": {"gcsFaultTolerance": redis}}))["gcsFaultToleranceOptions"]
    assert ("redis", "redis:6379") == (made["backend"], made["redisAddress"])
    assert {"name": "mine", "key": "password"} == made["redisPassword"]["valueFrom"]["secretKeyRef"]
    made = cluster(service(MISTRAL, {"ray": {"gcsFaultTolerance": rocksdb}}))["gcsFaultToleranceOptions"]
    assert {"size": "7Gi", "storageClassName": "fast"} == made["storage"]


def test_ray_asks_for_a_token() -> None:
    expected = {"mode": "token", "secretName": "tramontane-ray-token"}
    assert expected == cluster(service())["authOptions"]
    assert "mine" == cluster(service(MISTRAL, {"ray": {"tokenSecret": "mine"}}))["authOptions"]["secretName"]


def test_upgrades_are_as_chosen() -> None:
    def strategy(**upgrade: Any) -> Any:
        return service(MISTRAL, {"ray": {"upgrade": upgrade}})["spec"]["upgradeStrategy"]

    assert {"type": "NewCluster"} == strategy()
    assert {"type": "None"} == strategy(type="None")
    made = strategy(type="Incremental", gatewayClassName="istio", surgePercent=50, stepPercent=10, intervalSeconds=30)
    assert "NewClusterWithIncrementalUpgrade" == made["type"]
    assert {"maxSurgePercent": 50, "stepSizePercent": 10, "intervalSeconds": 30, "gatewayClassName": "istio"} == made[
        "clusterUpgradeOptions"
    ]


def test_without_engines_there_is_no_ray() -> None:
    values = {
        "router": {
            "models": [
                {
                    "id": "a/b",
                    "context_length": 8,
                    "pools": [
                        {
                            "name": "p",
                            "upstream_model": "b",
                            "discovery": {"kind": "static", "endpoints": ["http://e:1"]},
                        }
                    ],
                }
            ]
        }
    }

    assert not any(it["kind"] == "RayService" for it in render(values))


def test_a_model_that_there_is_not_is_refused() -> None:
    with pytest.raises(Refused, match="model/preset can be"):
        service({"model": "mistral-small-3.1-24b", "preset": "tpu"})


def test_the_name_under_which_serve_knows_an_engine_is_the_one_that_it_is_built_with() -> None:
    application, _ = only(service())

    assert f"engine:{find('mistral-small-3.1-24b', 'h100')[0].name}" == application.options["name"]
