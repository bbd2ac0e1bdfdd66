"""Engines that others run, between none and several, by what waits for them in the routers."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.prometheus import PrometheusMissing, program
from tests.helm.render import one, render
from tests.helm.shapes import ALL

POOL = {
    "name": "embedder",
    "upstream_model": "e",
    "discovery": {"kind": "kubernetes", "service": "embedder", "port": "http"},
    "scales_to_zero": True,
}


def scaled(**more: Any) -> dict[str, Any]:
    model = {"id": "acme/e", "context_length": 512, "output_modalities": ["embeddings"], "pools": [POOL]}
    given = {"pool": "embedder", "target": {"name": "embedder"}, "maxReplicas": 3, **more}
    objects = render({"router": {"models": [model]}, "scaledEngines": {"e": given}})
    return one(objects, "ScaledObject", "tramontane-scaled-e")


def test_it_starts_from_none_by_the_first_request_that_waits() -> None:
    spec = scaled()["spec"]

    assert {"apiVersion": "apps/v1", "kind": "Deployment", "name": "embedder"} == spec["scaleTargetRef"]
    assert (0, 3) == (spec["minReplicaCount"], spec["maxReplicaCount"])
    (trigger,) = spec["triggers"]
    of = '{namespace="models", pod=~"tramontane-router-.+", pool="embedder"}'
    assert (
        f"sum(tramontane_waiting_for_endpoint{of})"
        f" + (sum(max by (endpoint) (tramontane_endpoint_all_streams{of})) or vector(0))"
    ) == trigger["metadata"]["query"]
    assert ("16", "0") == (trigger["metadata"]["threshold"], trigger["metadata"]["activationThreshold"])


def test_routers_that_tell_nothing_take_no_engine_away() -> None:
    spec = scaled()["spec"]
    # not `or vector(0)` for what waits: that would make silence a zero
    assert re.match(r"sum\([^()]*\) \+ ", spec["triggers"][0]["metadata"]["query"])
    assert "false" == spec["triggers"][0]["metadata"]["ignoreNullValues"]
    assert ("currentReplicasIfHigher", 1) == (spec["fallback"]["behavior"], spec["fallback"]["replicas"])
    assert 2 == scaled(minReplicas=2)["spec"]["fallback"]["replicas"]


def test_what_is_asked_for_is_taken() -> None:
    target = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "name": "l"}
    spec = scaled(target=target, minReplicas=1, perReplica=32)["spec"]
    assert target == spec["scaleTargetRef"]
    assert (1, "32") == (spec["minReplicaCount"], spec["triggers"][0]["metadata"]["threshold"])


def test_nothing_that_ray_runs_is_scaled_so() -> None:
    for shape in ALL:
        for thing in shape.objects():
            if thing["kind"] == "ScaledObject":
                assert thing["spec"]["scaleTargetRef"]["kind"] not in ("RayService", "RayCluster"), shape


WAITING = 'tramontane_waiting_for_endpoint{namespace="models", pod="tramontane-router-%s", pool="embedder"}'
STREAMS = (
    'tramontane_endpoint_all_streams{namespace="models", pod="tramontane-router-%s", pool="embedder", endpoint="%s"}'
)


@pytest.mark.parametrize(
    ("series", "work"),
    [
        ({WAITING % "a": 0, WAITING % "b": 0}, 0),
        ({WAITING % "a": 1, WAITING % "b": 0}, 1),  # no endpoint, no streams
        ({WAITING % "a": 1, WAITING % "b": 2}, 3),
        # both routers tell of the same ten streams, one of them a little late
        ({WAITING % "a": 0, WAITING % "b": 0, STREAMS % ("a", "x"): 9, STREAMS % ("b", "x"): 10}, 10),
        ({WAITING % "a": 2, STREAMS % ("a", "x"): 9, STREAMS % ("a", "y"): 8}, 19),
        ({WAITING.replace("embedder", "other") % "a": 5, WAITING % "a": 0}, 0),
        ({STREAMS % ("a", "x"): 9}, None),  # routers that tell nothing: no answer, not a zero
    ],
)
def test_prometheus_counts_what_waits_and_what_is_in_hand_once(
    series: dict[str, int], work: int | None, tmp_path: Path
) -> None:
    try:
        promtool = program("promtool")
    except PrometheusMissing as missing:
        pytest.skip(str(missing))
    expected = [] if work is None else [{"value": work, "labels": "{}"}]
    query = scaled()["spec"]["triggers"][0]["metadata"]["query"]
    case = {
        "interval": "15s",
        "input_series": [{"series": name, "values": f"{value}x4"} for name, value in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": "1m", "exp_samples": expected}],
    }
    (tmp_path / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": [], "evaluation_interval": "15s", "tests": [case]})
    )

    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout + done.stderr
