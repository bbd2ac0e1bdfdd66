"""Profile, preset and overrides put together; what is on in every engine; what is refused before anything starts."""

import json
from pathlib import Path
from typing import Any

import pytest

from serving.config import ConfigError, parse
from serving.engine import OWNED, Engine, resolve
from serving.profiles import PROFILES
from tests.serving.test_architecture import PARAMS


def mistral(preset: str = "h100", **more: Any) -> Engine:
    return resolve(parse({"model": "mistral-small-3.1-24b", "preset": preset, **more}, "engines.yaml"))


def pocket(folder: Path, **more: Any) -> Engine:
    (folder / "params.json").write_text(json.dumps(PARAMS))
    return resolve(parse({"model": "pocket", "preset": "cpu", "source": str(folder), **more}, "engines.yaml"))


@pytest.mark.parametrize("preset", PROFILES["mistral-small-3.1-24b"].presets)
def test_every_preset_holds_one_full_context(preset: str) -> None:
    assert 131_072 == mistral(preset).arguments["max_model_len"]


def test_every_engine_has_on_what_routing_and_clients_rely_on(tmp_path: Path) -> None:
    for engine in (mistral(), pocket(tmp_path)):
        wanted = {
            "enable_prefix_caching": True,
            "enable_prompt_tokens_details": True,
            "enable_auto_tool_choice": True,
            "tool_call_parser": "mistral",
            "tokenizer_mode": "mistral",
        }
        assert wanted == {name: engine.arguments[name] for name in wanted}
        assert engine.arguments["limit_mm_per_prompt"]["image"] > 0
        assert "0" == engine.environment["PYTHONHASHSEED"]


def test_mistral_small_is_served_as_its_card_advises() -> None:
    engine = mistral()
    assert {"image": 10} == engine.arguments["limit_mm_per_prompt"]
    assert {"temperature": 0.15} == engine.arguments["override_generation_config"]
    assert 2048 == engine.arguments["max_num_batched_tokens"]
    assert ("H100", True) == (engine.accelerator_type, engine.on_gpu)


def test_two_small_cards_share_the_model() -> None:
    engine = mistral("2x48gb")
    assert 2 == engine.arguments["tensor_parallel_size"]
    assert 2 == len(engine.placement.bundles)


def test_engine_options_pass_through_untouched_and_win(tmp_path: Path) -> None:
    options = {"max_model_len": 1024, "enforce_eager": False, "some_new_option": {"a": [1, 2]}}
    assert options.items() <= pocket(tmp_path, engine=options).arguments.items()


def test_the_files_environment_wins_over_the_presets(tmp_path: Path) -> None:
    engine = pocket(tmp_path, environment={"VLLM_CPU_KVCACHE_SPACE": "2", "MORE": "1"})
    assert {"VLLM_CPU_KVCACHE_SPACE": "2", "MORE": "1", "HF_HUB_OFFLINE": "1"}.items() <= engine.environment.items()


def test_a_folder_of_weights_is_the_same_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/params.json").write_text(json.dumps(PARAMS))
    monkeypatch.chdir(tmp_path)
    engine = resolve(parse({"model": "pocket", "preset": "cpu", "source": "weights"}, "engines.yaml"))
    assert str(tmp_path / "weights") == engine.source
    assert "mistralai/Mistral-Small-3.1-24B-Instruct-2503" == mistral().source


@pytest.mark.parametrize("name", OWNED)
def test_an_option_decided_elsewhere_is_refused_with_where(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        mistral(engine={name: 1})
    assert f"engine.{name}: not here: {OWNED[name]}" == str(refused.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": "gpt"}, "model: there is no profile 'gpt'; there are mistral-small-3.1-24b, pocket"),
        ({"preset": "cpu"}, "preset: mistral-small-3.1-24b has no preset 'cpu'; it has 2x48gb, a100-80gb, h100, h200"),
        (
            {"engine": {"max_model_len": 200_000}},
            "engine.max_model_len: 200000 is not a whole number from 1 to 131,072",
        ),
        ({"engine": {"max_model_len": "auto"}}, "engine.max_model_len: 'auto' is not a whole number"),
        ({"engine": {"kv_cache_dtype": "int3"}}, "engine.kv_cache_dtype: 'int3' is none of bfloat16"),
        ({"preset": "2x48gb", "tensor_parallel_size": 1}, "the model does not fit: weights 44.7 GiB"),
        ({"preset": "2x48gb", "tensor_parallel_size": 4}, "tensor_parallel_size: 4 is more than the 2 workers"),
        ({"engine": {"gpu_memory_utilization": 0.6}}, "the model does not fit"),
        (
            {"engine": {"dtype": "float32"}},
            "the model does not fit: weights 89.4 GiB + KV cache of one request of 131,072 tokens 40.0 GiB",
        ),
    ],
)
def test_what_cannot_run_is_refused_before_anything_starts(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve(parse({"model": "mistral-small-3.1-24b", "preset": "h100", **values}, "engines.yaml"))
    assert str(refused.value).startswith(message)


def test_eight_bit_weights_make_room_on_one_small_card() -> None:
    engine = mistral("2x48gb", tensor_parallel_size=1, engine={"quantization": "fp8", "max_model_len": 65_536})
    assert 1 == len(engine.placement.bundles)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"source: .*/params\.json is not there"):
        resolve(parse({"model": "pocket", "preset": "cpu", "source": str(tmp_path)}, "engines.yaml"))
    (tmp_path / "params.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"source: .*params\.json: dim is missing"):
        resolve(parse({"model": "pocket", "preset": "cpu", "source": str(tmp_path)}, "engines.yaml"))
