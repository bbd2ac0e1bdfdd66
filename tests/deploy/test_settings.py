"""What the local stack writes must be what engines and router read."""

from pathlib import Path

import yaml

import router.config
import router.sections
import serving.config
from deploy import settings
from serving.engine import resolve


def test_the_engines_accept_the_deployment_written_for_them(tmp_path: Path) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text(settings.deployment(2))
    deployment = serving.config.load(file)
    assert (2, settings.APPLICATION) == (deployment.replicas, deployment.application)
    engine = resolve(deployment)
    assert settings.MODEL == engine.model_id


def test_the_router_accepts_the_configuration_written_for_it(tmp_path: Path) -> None:
    cluster = settings.Cluster("http://127.0.0.1:8265", tmp_path / "token")
    file = tmp_path / "router.yaml"
    file.write_text(settings.router(host="127.0.0.1", port=8080, folder=tmp_path, cluster=cluster))
    config = router.config.load(file)
    ((pool, section),) = config.pools()
    assert (settings.MODEL, settings.MODEL) == (pool.model, pool.upstream_model)
    assert isinstance(section.discovery, router.sections.RaySection)
    assert "http://127.0.0.1:8265" == section.discovery.dashboard


def test_the_models_facts_are_those_of_the_engines_deployment(tmp_path: Path) -> None:
    cluster = settings.Cluster("http://127.0.0.1:8265", tmp_path / "token")
    file = tmp_path / "router.yaml"
    file.write_text(settings.router(host="127.0.0.1", port=8080, folder=tmp_path, cluster=cluster))
    config = router.config.load(file)
    engine = resolve(serving.config.parse(yaml.safe_load(settings.deployment(1)), "test"))
    ((pool, _),) = config.pools()
    assert engine.arguments["max_model_len"] == pool.context_length == config.models[0].context_length
    assert engine.arguments["limit_mm_per_prompt"]["image"] == config.limits.images
    assert ("bf16", {"text", "image"}) == (pool.quantization, pool.input_modalities)


def test_no_secret_stands_in_the_files(tmp_path: Path) -> None:
    cluster = settings.Cluster("http://127.0.0.1:8265", tmp_path / "token")
    text = settings.router(host="127.0.0.1", port=8080, folder=tmp_path, cluster=cluster)
    assert [{"name": "local", "secret": {"file": str(tmp_path / "api-key")}}] == yaml.safe_load(text)["keys"]
