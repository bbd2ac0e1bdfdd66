"""The router's file: every rendering is read by the real router, with the secrets and vocabularies that its pod has."""

from pathlib import Path
from typing import Any

import pytest

from router.protocol.secret import is_key
from router.sections import RaySection
from tests.helm.render import SHAPES, Refused, one
from tests.helm.router_pod import POCKET, made, router_file, start

MISTRAL = "mistralai/mistral-small-3.1-24b-instruct"
REPOSITORY = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"
ELSEWHERE = {
    "name": "elsewhere",
    "upstream_model": "e",
    "discovery": {"kind": "static", "endpoints": ["http://10.0.0.7:8000"]},
}
OPENROUTER = {"slug": "openrouter", "url": "https://openrouter.ai/api/v1", "key": {"env": "OPENROUTER_KEY"}}


def mistral(preset: str = "h100", **more: Any) -> dict[str, Any]:
    return {"deployment": {"model": "mistral-small-3.1-24b", "preset": preset, **more}}


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.stem for shape in SHAPES])
def test_the_file_of_every_shape_is_one_that_a_router_starts_with(shape: Path, tmp_path: Path) -> None:
    config, secrets, _ = start(made(shape), tmp_path)

    assert config.models
    assert len(secrets.mesh) >= 16


def test_engines_that_scale_to_zero_are_waited_for_as_long_as_they_take_to_start(tmp_path: Path) -> None:
    autoscaling = {"min_replicas": 0, "max_replicas": 1}
    engines = {
        "asleep": {**mistral(autoscaling=autoscaling, model_id="a"), "workers": {"startMinutes": 20}},
        "awake": mistral(autoscaling={"max_replicas": 2}, model_id="b"),
    }

    config, _, _ = start(made({"engines": engines}), tmp_path)

    pools = {section.name: (section.scales_to_zero, section.waiting_room_s) for _, section in config.pools()}
    assert {"asleep": (True, 1200.0), "awake": (False, None)} == pools


def test_without_a_database_callers_have_the_keys_of_their_secret(tmp_path: Path) -> None:
    objects = made({"engines": {"pocket": POCKET}, "router": {"callers": ["team-a", "team-b"]}})

    config, secrets, _ = start(objects, tmp_path)

    assert config.database is None
    assert {"management": True, "team-a": False, "team-b": False} == {
        key.name: key.is_management for key in secrets.keys.values()
    }
    assert all(is_key(secret.encode()) for secret in secrets.keys)


def test_with_a_database_there_is_the_management_key_alone(tmp_path: Path) -> None:
    objects = made({"engines": {"pocket": POCKET}, "database": {"embedded": {"enabled": True}}})

    config, secrets, _ = start(objects, tmp_path)

    assert config.keys == []
    assert ["bootstrap"] == [key.name for key in secrets.keys.values()]
    assert secrets.database is not None
    assert secrets.database.startswith("postgresql://tramontane:")
    assert secrets.database.endswith("@tramontane-postgresql:5432/tramontane")


def test_secrets_of_yours_are_read_instead_of_made(tmp_path: Path) -> None:
    given = {
        "engines": {"pocket": POCKET},
        "database": {"external": {"secret": "my-database"}},
        "router": {"managementKeySecret": "my-key", "meshSecret": "my-mesh"},
        "ray": {"tokenSecret": "my-token"},
    }
    objects = made(given)

    _, secrets, _ = start(objects, tmp_path)

    assert ["my-key-management-key-of-yours"] == list(secrets.keys)
    assert b"my-mesh-secret-of-yours" == secrets.mesh
    assert secrets.database == "postgresql://user:password@db.example.org/tramontane"
    assert [] == [it for it in objects if it["kind"] == "Secret"]


def test_ports_and_times_are_those_of_the_pod(tmp_path: Path) -> None:
    given = {"engines": {"pocket": POCKET}, "router": {"drain": {"leaveSeconds": 20, "drainSeconds": 600}}}
    config, _, _ = start(made(given), tmp_path)

    listen = config.listen
    assert ("0.0.0.0", 8080, 20, 600) == (listen.host, listen.port, listen.leave_s, listen.drain_s)
    assert listen.metrics is not None
    assert ("0.0.0.0", 9090) == (listen.metrics.host, listen.metrics.port)
    assert listen.admin is not None
    assert ("0.0.0.0", 8081) == (listen.admin.host, listen.admin.port)
    assert config.mesh.gossip.dns == "tramontane-router-peers:8082"


def test_a_model_is_what_its_engines_profile_and_preset_say(tmp_path: Path) -> None:
    config, _, vocabularies = start(made({"engines": {"small": POCKET}}), tmp_path)

    (model,) = config.models
    assert ("tramontane/pocket", 4096, ["text", "image"], 4) == (
        model.id,
        model.context_length,
        model.input_modalities,
        model.images_per_request,
    )
    assert model.hugging_face_id is None
    (pool,) = model.pools
    assert ("small", "tramontane/pocket", "bf16") == (pool.name, pool.upstream_model, pool.quantization)
    assert isinstance(pool.discovery, RaySection)
    assert ("http://tramontane-engines-head-svc:8265", "small") == (
        pool.discovery.dashboard,
        pool.discovery.application,
    )
    assert pool.discovery.token is not None
    assert config.limits.images == 4
    assert ["small"] == list(vocabularies)


def test_what_a_deployment_says_otherwise_is_what_callers_see() -> None:
    engine = {
        "max_model_len": 32768,
        "limit_mm_per_prompt": {"image": 0},
        "quantization": "fp8",
        "override_generation_config": {"temperature": 0.3, "max_new_tokens": 9},
    }
    given = {"engines": {"m": mistral(model_id="acme/large", source="acme/Large-24B", engine=engine)}}

    (model,) = router_file(made(given))["models"]

    assert ("acme/large", 32768, ["text"]) == (model["id"], model["context_length"], model["input_modalities"])
    assert (0, {"temperature": 0.3}, "acme/Large-24B") == (
        model["images_per_request"],
        model["default_parameters"],
        model["hugging_face_id"],
    )
    assert ("acme/large", "fp8") == (model["pools"][0]["upstream_model"], model["pools"][0]["quantization"])


def test_your_own_word_on_model_and_pool_goes_above_what_is_derived(tmp_path: Path) -> None:
    engine = POCKET | {
        "model": {"name": "Tiny", "categories": ["science"]},
        "pool": {"price": {"prompt": 0.5}, "vocabulary": "", "discovery": {"interval_s": 3}},
    }
    config, _, vocabularies = start(made({"engines": {"tiny": engine}}), tmp_path)

    (model,) = config.models
    assert ("Tiny", ["science"], 0.5) == (model.name, model.categories, model.pools[0].price.prompt)
    assert isinstance(model.pools[0].discovery, RaySection)
    assert (3, "tiny") == (model.pools[0].discovery.interval_s, model.pools[0].discovery.application)
    assert {} == vocabularies


def test_engines_of_the_same_model_are_its_pools(tmp_path: Path) -> None:
    given = {"engines": {"a": mistral("h100", engine={"max_model_len": 16384}), "b": mistral("h200"), "c": POCKET}}
    config, _, _ = start(made(given), tmp_path)

    assert [MISTRAL, "tramontane/pocket"] == [model.id for model in config.models]
    assert 131072 == config.models[0].context_length
    assert [("a", 16384), ("b", 131072)] == [(pool.name, pool.context_length) for pool in config.models[0].pools]
    assert 10 == config.limits.images


def test_a_provider_can_stand_behind_engines(tmp_path: Path) -> None:
    behind = {"name": "openrouter-mistral", "provider": "openrouter", "upstream_model": MISTRAL}
    given = {
        "engines": {"m": mistral() | {"model": {"pools": [behind]}}},
        "router": {"config": {"providers": [OPENROUTER | {"key": {"value": "x"}}]}},
    }
    config, _, _ = start(made(given), tmp_path)

    assert ["m", "openrouter-mistral"] == [pool.name for pool in config.models[0].pools]


def test_the_routers_own_keys_go_above_the_charts(tmp_path: Path) -> None:
    given = {
        "engines": {"pocket": POCKET},
        "router": {
            "config": {
                "listen": {"leave_s": 0, "backlog": 4096},
                "limits": {"images": 2},
                "stream": {"comment_after_s": None},
                "log": {"access": True},
            }
        },
    }
    config, _, _ = start(made(given), tmp_path)

    assert (0, 4096, 300, 8080) == (
        config.listen.leave_s,
        config.listen.backlog,
        config.listen.drain_s,
        config.listen.port,
    )
    assert (2, None, True) == (config.limits.images, config.stream.comment_after_s, config.log.access)


def test_models_of_others_stand_behind_those_of_the_engines(tmp_path: Path) -> None:
    other = {"id": "acme/embedder", "output_modalities": ["embeddings"], "context_length": 8192, "pools": [ELSEWHERE]}
    given = {"engines": {"pocket": POCKET}, "router": {"models": [other]}}
    config, _, _ = start(made(given), tmp_path)

    assert ["tramontane/pocket", "acme/embedder"] == [model.id for model in config.models]


def test_a_model_that_engines_serve_cannot_be_another_too() -> None:
    twice = {"id": "tramontane/pocket", "context_length": 4096, "pools": [ELSEWHERE]}
    given = {"engines": {"small": POCKET}, "router": {"models": [twice]}}

    with pytest.raises(Refused, match=r"router\.models: tramontane/pocket is the model of engines\.small"):
        made(given)


def test_routers_without_engines_need_no_token_of_rays(tmp_path: Path) -> None:
    model = {
        "id": MISTRAL,
        "context_length": 131072,
        "pools": [{"name": "p", "provider": "openrouter", "upstream_model": MISTRAL}],
    }
    given = {"router": {"models": [model], "secrets": ["provider-keys"], "config": {"providers": [OPENROUTER]}}}
    given["router"]["config"]["providers"][0]["key"] = {"file": "/etc/tramontane/secrets/provider-keys/openrouter"}

    config, secrets, _ = start(made(given), tmp_path)

    assert 10 == config.limits.images
    assert "provider-keys-openrouter-of-yours" == secrets.providers[0].key


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"enabled": True}, "/weights/mistral/tekken.json"),
        ({"enabled": True, "accessMode": "ReadWriteOnce"}, None),
        ({"enabled": False, "download": {}}, None),
    ],
)
def test_the_vocabulary_lies_with_the_weights_where_routers_can_mount_them(
    weights: dict[str, Any], expected: str | None, tmp_path: Path
) -> None:
    download = {
        "repository": "mistralai/Mistral-Small-3.1-24B-Instruct-2503",
        "folder": "mistral",
        "revision": "a" * 40,
    }
    given = {"engines": {"m": mistral()}, "weights": {"download": {"models": [download]}} | weights}
    objects = made(given)

    _, _, vocabularies = start(objects, tmp_path)

    assert expected == router_file(objects)["models"][0]["pools"][0].get("vocabulary")
    assert ([] if expected is None else ["m"]) == list(vocabularies)
    assert REPOSITORY == router_file(objects)["models"][0]["hugging_face_id"]


def test_a_secret_that_nothing_mounts_is_refused() -> None:
    key = {"file": "/etc/tramontane/secrets/provider-keys/openrouter"}
    given = {"router": {"config": {"providers": [OPENROUTER | {"key": key}]}}}

    with pytest.raises(Refused, match=r"router\.secrets: add provider-keys, of which"):
        made(given)
    assert made(given, {"router": {"secrets": ["provider-keys"]}})


def test_secrets_stand_in_no_config_map() -> None:
    objects = made({"engines": {"pocket": POCKET}, "database": {"embedded": {"enabled": True}}})

    text = one(objects, "ConfigMap", "tramontane-router")["data"]["router.yaml"]

    assert "sk-or-" not in text
    assert "postgresql://" not in text
