"""The stack of one machine: a file that compose takes, parts that fit together, nothing open that need not be."""

import json
import re
import stat
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import router.config
import serving.config
from deploy.engine_targets import Options
from serving.arguments import Arguments
from serving.engine import resolve

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy"
OWN = ("router", "engine-cpu", "engine-cuda")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
FILES = sorted(FOLDER.glob("compose*.yaml"))
every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


STACK = load("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
every_service = pytest.mark.parametrize("name", SERVICES)


def mounts(*files: str) -> dict[str, dict[str, Path]]:
    """For each service what it sees of this machine's files, by the path inside; later files go over earlier ones."""
    found: dict[str, dict[str, Path]] = {}
    for file in files:
        for service, section in load(file)["services"].items():
            for volume in section.get("volumes", []):
                source, target, *_ = volume.split(":")
                if source.startswith("."):
                    found.setdefault(service, {})[target] = FOLDER / source
    return found


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the script has made the secrets."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run([FOLDER / "compose" / "secrets.sh", folder], check=True, capture_output=True, timeout=60)
    return folder


@every_file
def test_it_is_what_the_compose_specification_says(file: Path) -> None:
    schema = resources.files("check_jsonschema.builtin_schemas.vendor") / "compose-spec.json"
    jsonschema.validate(load(file.name), json.loads(schema.read_text()))


@every_file
def test_every_mounted_file_is_there_and_cannot_be_written(file: Path) -> None:
    for service in load(file.name)["services"].values():
        for volume in service.get("volumes", []):
            source, _, *options = volume.split(":")
            if source.startswith("."):
                assert (FOLDER / source).exists(), source
                assert ["ro"] == options, volume
            else:
                assert source in STACK["volumes"]


@every_file
def test_every_image_is_pinned_and_ours_have_the_projects_version(file: Path) -> None:
    for service in load(file.name)["services"].values():
        image = service.get("image", "")
        ours = re.fullmatch(r"\$\{TRAMONTANE_REGISTRY:-\}tramontane/([\w-]+):\$\{TRAMONTANE_VERSION:-(.+)\}", image)
        if ours:
            assert (ours[1] in OWN, VERSION) == (True, ours[2])
            assert {"context": "..", "dockerfile": f"deploy/docker/{ours[1]}.Dockerfile"} == service["build"]
        elif image:
            assert re.fullmatch(r"\$\{DOCKER_HUB:-docker\.io\}/[\w/-]+:v?\d+\.\d+[\w.-]*", image)


@every_service
def test_every_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert (["ALL"], ["no-new-privileges:true"]) == (service["cap_drop"], service["security_opt"])
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys()
    assert {"mem_limit", "pids_limit", "healthcheck", "restart"} <= service.keys()
    assert service["healthcheck"]["test"][0] == "CMD"
    if "}tramontane/" not in service["image"]:  # ours say in themselves who they are
        assert not service["user"].startswith("0")
    assert not re.search(r"(?i)password['\"]?: *['\"]?[^/\s]", re.sub(r"_FILE.*", "", yaml.safe_dump(service)))


def test_the_routers_port_alone_leaves_and_goes_no_further_than_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert {"pod": ["127.0.0.1:${TRAMONTANE_PORT:-8080}:8080"]} == published
    assert {"internal": True} == STACK["networks"]["data"]
    assert {"pod", "postgres"} == {name for name, service in SERVICES.items() if "data" in service.get("networks", [])}


def test_who_must_reach_loopback_addresses_shares_one_network() -> None:
    shares = {name for name, service in SERVICES.items() if service.get("network_mode") == "service:pod"}
    assert {"router", "engine", "engine-targets", "prometheus"} == shares
    for name in shares:
        assert {"condition": "service_healthy", "restart": True} == SERVICES[name]["depends_on"]["pod"]


def test_the_secrets_are_made_once_and_only_their_owner_gets_to_them(secrets: Path) -> None:
    made = {file.name: file.read_text() for file in secrets.iterdir()}
    assert made.keys() == STACK["secrets"].keys()
    for name, section in STACK["secrets"].items():
        assert f"./compose/secrets/{name}" == section["file"]
    assert 0o700 == stat.S_IMODE(secrets.stat().st_mode)
    assert {0o444} == {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()}
    assert re.fullmatch(r"sk-or-v1-[0-9a-f]{64}", made["management-key"])
    assert len(set(made.values())) == len(made)
    assert f":{made['postgres-password']}@postgres:5432/" in made["database-url"]
    (secrets / "api-key").unlink()
    again = subprocess.run([FOLDER / "compose" / "secrets.sh", secrets], check=True, capture_output=True, text=True)
    assert f"made {secrets / 'api-key'}\n" == again.stdout
    kept = {file.name: file.read_text() for file in secrets.iterdir()}
    assert {"api-key"} == {name for name in made if made[name] != kept[name]}
    assert "secrets/\n" == (FOLDER / "compose" / ".gitignore").read_text()


def test_files_over_the_first_change_nothing_that_compose_would_add_up() -> None:
    """Lists of these are joined, not replaced; only what is found by its path inside or its name may come twice."""
    for file in FILES:
        if file.name != "compose.yaml":
            for section in load(file.name)["services"].values():
                assert not {"tmpfs", "networks", "security_opt", "cap_drop"} & section.keys()


@every_service
def test_secrets_are_files_of_those_who_read_them_alone(name: str) -> None:
    given = set(SERVICES[name].get("secrets", []))
    seen = mounts("compose.yaml").get(name, {}).values()
    texts = [yaml.safe_dump(SERVICES[name]), *(path.read_text() for path in seen if path.is_file())]
    assert given == set(re.findall(r"/run/secrets/([\w-]+)", " ".join(texts)))


@pytest.mark.parametrize("over", [[], ["compose.gpu.yaml"]], ids=["cpu", "gpu"])
def test_the_router_accepts_its_file_and_finds_the_engines_by_it(
    over: list[str], secrets: Path, tmp_path: Path
) -> None:
    seen = mounts("compose.yaml", *over)
    text = seen["router"]["/etc/tramontane/router.yaml"].read_text()
    for inside, outside in {"/run/secrets": secrets, **seen["router"]}.items():
        text = text.replace(inside, str(outside))
    file = tmp_path / "router.yaml"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "router", "--check", "--config", file], capture_output=True, text=True, timeout=120
    )
    assert (0, "") == (done.returncode, done.stderr)
    engine = resolve(serving.config.load(seen["engine"]["/etc/tramontane/engines.yaml"]))
    config = router.config.load(file)
    ((pool, section),) = config.pools()
    assert engine.model_id == pool.upstream_model
    assert "http://127.0.0.1:8265" == section.discovery.dashboard  # type: ignore[union-attr]
    assert engine.arguments["limit_mm_per_prompt"]["image"] == config.limits.images
    assert engine.arguments["max_model_len"] == pool.context_length


@pytest.mark.parametrize("over", [[], ["compose.gpu.yaml"]], ids=["cpu", "gpu"])
def test_everybody_means_the_same_application_dashboard_and_token(over: list[str]) -> None:
    engines = serving.config.load(mounts("compose.yaml", *over)["engine"]["/etc/tramontane/engines.yaml"])
    started = Arguments.parse(SERVICES["engine"]["command"][3:])
    asked = Options.parse(SERVICES["engine-targets"]["command"])
    checked = Options.parse(SERVICES["engine"]["healthcheck"]["test"][4:])
    assert (engines.application,) == asked.applications == checked.applications
    assert f"http://127.0.0.1:{started.dashboard_port}" == asked.dashboard == checked.dashboard
    assert started.token_file == asked.token_file == checked.token_file
    assert checked.once


def test_containers_are_given_as_long_to_stop_as_what_is_in_them_takes() -> None:
    for over in ([], ["compose.gpu.yaml"]):
        engine, seen = dict(SERVICES["engine"]), mounts("compose.yaml", *over)
        for file in over:
            engine |= load(file)["services"]["engine"]
        engines = serving.config.load(seen["engine"]["/etc/tramontane/engines.yaml"])
        assert seconds(engine["stop_grace_period"]) >= engines.drain.timeout_s + 60 + 30
        listen = router.config.load(seen["router"]["/etc/tramontane/router.yaml"]).listen
        assert seconds(SERVICES["router"]["stop_grace_period"]) >= listen.leave_s + listen.drain_s + 30
    # and it ends before what it needs
    assert {"pod", "postgres", "engine"} == SERVICES["router"]["depends_on"].keys()


def test_prometheus_accepts_its_file_with_the_rules(secrets: Path, tmp_path: Path) -> None:
    text = (FOLDER / "compose" / "prometheus.yml").read_text()
    text = text.replace("/run/secrets", str(secrets)).replace(
        "/etc/prometheus/rules", str(FOLDER / "prometheus" / "rules")
    )
    (tmp_path / "prometheus.yml").write_text(text)
    command = ["promtool", "check", "config", tmp_path / "prometheus.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert 0 == done.returncode, done.stdout + done.stderr
    jobs = [job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]]
    assert ["tramontane-router", "tramontane-engine", "ray"] == jobs


def test_prometheus_asks_where_the_others_listen() -> None:
    text = (FOLDER / "compose" / "prometheus.yml").read_text()
    host, port = Options.parse(SERVICES["engine-targets"]["command"]).listen
    assert f"http://{host}:{port}/targets" in text
    metrics = router.config.load(FOLDER / "compose" / "router.yaml").listen.metrics
    assert metrics is not None
    assert f'["{metrics.host}:{metrics.port}"]' in text
    assert f"http://{metrics.host}:{metrics.port}/readyz" == SERVICES["router"]["environment"]["TRAMONTANE_HEALTH_URL"]


def test_grafana_is_given_prometheus_and_the_dashboards() -> None:
    provisioning = FOLDER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert "http://pod:9090" == source["url"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "tramontane.yaml").read_text())["providers"]
    seen = mounts("compose.yaml")["grafana"]
    assert seen[provider["options"]["path"]].resolve() == FOLDER / "grafana" / "dashboards"
    assert seen["/etc/grafana/provisioning"].resolve() == provisioning
    assert list((FOLDER / "grafana" / "dashboards").glob("*.json"))


def test_every_variable_is_documented() -> None:
    used = {name for file in FILES for name in re.findall(r"\$\{(\w+)", file.read_text())}
    section = (ROOT / "docs" / "deploy.md").read_text().split("## One machine with compose")[1].split("\n## ")[0]
    assert used == set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE))
