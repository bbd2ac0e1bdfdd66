"""What the migration is told."""

import subprocess
import sys
from pathlib import Path

import yaml

from router import config
from tests.helm.render import one
from tests.helm.router_pod import URL, made, mount, pod_of

EXTERNAL = {"database": {"external": {"secret": "db"}}}


def test_it_is_a_routers_file_with_the_database_alone(tmp_path: Path) -> None:
    objects = made(EXTERNAL | {"router": {"config": {"database": {"limits": {"migrate_s": 600}}}}})
    mount(objects, pod_of(objects, "Job", "tramontane-migrate-1"), tmp_path)
    told = yaml.safe_load((tmp_path / "etc/tramontane/config/router.yaml").read_text())
    told["database"]["url"]["file"] = f"{tmp_path}{told['database']['url']['file']}"

    read = config.parse(told, source="the migration's file")

    assert URL == config.read_secrets(read, {}).database
    assert read.database is not None
    assert 600 == read.database.limits.migrate_s


def test_the_jobs_command_migrates_with_it(tmp_path: Path) -> None:
    objects = made(EXTERNAL)
    pod = pod_of(objects, "Job", "tramontane-migrate-1")
    mount(objects, pod, tmp_path)
    file = tmp_path / "etc/tramontane/config/router.yaml"
    file.write_text(file.read_text().replace(": /etc/", f": {tmp_path}/etc/"))
    (tmp_path / "etc/tramontane/secrets/db/url").write_text(f"sqlite:///{tmp_path}/accounts.db\n")
    (container,) = pod["containers"]
    python, *command = (*map(str, container["command"]), *map(str, container["args"][:-1]), str(file))

    assert "python" == python
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=120, check=False)

    assert ("", 0) == (done.stderr, done.returncode)
    assert done.stdout.startswith("the database has schema ")


def test_it_comes_before_the_job_and_goes_with_it() -> None:
    objects = made(EXTERNAL)
    told = one(objects, "ConfigMap", "tramontane-migrate")["metadata"]["annotations"]
    job = one(objects, "Job", "tramontane-migrate-1")["metadata"]["annotations"]

    assert job["helm.sh/hook"] == told["helm.sh/hook"]
    assert int(told["helm.sh/hook-weight"]) < int(job["helm.sh/hook-weight"])
