"""The example of a Ray cluster on virtual machines: what Ray's launcher and Serve take, and routers find."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import router.config
import serving.config
from serving.engine import resolve
from serving.environment import EVERY_CLUSTER

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "ray-cluster"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def test_rays_launcher_accepts_the_cluster() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = util.prepare_config(load("cluster.yaml"))
    util.validate_config(config)
    assert len(config["provider"]["worker_ips"]) == config["max_workers"]


def test_what_is_copied_to_the_machines_is_there_or_made_by_hand() -> None:
    mounts = load("cluster.yaml")["file_mounts"]
    assert {"~/.tramontane/ray-token"} == {source for source in mounts.values() if not (ROOT / source).is_file()}


def test_every_process_of_the_cluster_has_the_variables_that_it_must_have() -> None:
    asked = f'. "{FOLDER}/environment.sh" && env -0'
    done = subprocess.run(
        ["sh", "-c", asked], capture_output=True, text=True, env={"HOME": "/home/ray", "PATH": "/bin"}
    )
    found = dict(variable.split("=", 1) for variable in done.stdout.rstrip("\0").split("\0"))
    assert EVERY_CLUSTER.items() <= found.items()
    assert "/home/ray/tramontane/token" == found["RAY_AUTH_TOKEN_PATH"]
    assert "~/tramontane/token" in load("cluster.yaml")["file_mounts"]


@pytest.mark.parametrize("key", ["head_start_ray_commands", "worker_start_ray_commands"])
def test_ray_is_started_and_stopped_with_them(key: str) -> None:
    for command in load("cluster.yaml")[key]:
        assert command.startswith(". ~/tramontane/environment.sh; ")


@pytest.mark.parametrize("key", ["head_start_ray_commands", "worker_start_ray_commands"])
def test_rays_own_workers_take_no_port_of_a_replica(key: str) -> None:
    (start,) = (command for command in load("cluster.yaml")[key] if "ray start" in command)
    (most,) = re.findall(r"--max-worker-port=(\d+)", start)
    assert int(most) < 30000  # RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT's default


def test_serve_accepts_what_is_deployed_and_so_do_the_engines() -> None:
    schema = pytest.importorskip("ray.serve.schema")
    config = schema.ServeDeploySchema.model_validate(load("serve.yaml"))
    (application,) = config.applications
    assert "serving.app:build" == application.import_path
    resolve(serving.config.from_args(application.args))


def test_the_router_accepts_its_file_and_finds_what_is_deployed() -> None:
    config = router.config.load(FOLDER / "router.yaml")
    ((pool, section),) = config.pools()
    (application,) = load("serve.yaml")["applications"]
    assert application["name"] == section.discovery.application  # type: ignore[union-attr]
    assert resolve(serving.config.from_args(application["args"])).model_id == pool.upstream_model
    head = load("cluster.yaml")["provider"]["head_ip"]
    assert f"http://{head}:8265" == section.discovery.dashboard  # type: ignore[union-attr]
