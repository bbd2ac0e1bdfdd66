"""Parameters and bytes counted from a model's shape."""

import json
from pathlib import Path

import pytest

from serving import architecture
from serving.architecture import Architecture, VisionTower
from serving.profiles.mistral_small_3_1_24b import ARCHITECTURE

PARAMS = {
    "dim": 64,
    "n_layers": 2,
    "n_heads": 4,
    "n_kv_heads": 2,
    "head_dim": 32,
    "hidden_dim": 128,
    "vocab_size": 4096,
    "max_position_embeddings": 8192,
    "vision_encoder": {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "intermediate_size": 128,
        "patch_size": 14,
        "spatial_merge_size": 2,
    },
}


def test_mistral_small_has_the_24_billion_parameters_of_its_name() -> None:
    assert 24.0 == round(ARCHITECTURE.parameters / 1e9, 1)
    assert ARCHITECTURE.vision is not None
    assert 0.4 == round(ARCHITECTURE.vision.parameters(ARCHITECTURE.width) / 1e9, 1)


def test_one_token_of_mistral_small_takes_160_kib_of_cache() -> None:
    assert 160 * 1024 == ARCHITECTURE.kv_bytes_per_token(2)
    assert 80 * 1024 == ARCHITECTURE.kv_bytes_per_token(1)


def test_parameters_are_those_of_the_tensors() -> None:
    embeddings = 2 * 4096 * 64
    attention = 64 * 4 * 32 * 2 + 64 * 2 * 32 * 2
    layer = attention + 3 * 64 * 128 + 2 * 64
    vision_layer = 4 * 64 * 64 + 3 * 64 * 128 + 2 * 64
    vision = 3 * 14 * 14 * 64 + 64 + 2 * vision_layer + 64 + 64 * 256 + 64 * 64 + 64 * 64
    assert embeddings + 2 * layer + 64 + vision == architecture.from_params(PARAMS).parameters


def test_a_model_without_eyes_has_no_tower() -> None:
    text_only = {key: value for key, value in PARAMS.items() if key != "vision_encoder"}
    found = architecture.from_params(text_only)
    assert found.vision is None
    assert found.parameters < architecture.from_params(PARAMS).parameters


def test_the_shape_is_read_from_the_weights_folder(tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text(json.dumps(PARAMS))
    tower = VisionTower(width=64, layers=2, feed_forward_width=128, patch_pixels=14, merge=2)
    assert Architecture(
        width=64,
        layers=2,
        heads=4,
        kv_heads=2,
        head_width=32,
        feed_forward_width=128,
        vocabulary=4096,
        context=8192,
        vision=tower,
    ) == architecture.read(tmp_path)


def test_a_shape_with_a_value_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text(json.dumps({**PARAMS, "vision_encoder": {}}))
    with pytest.raises(ValueError, match=r"params\.json: hidden_size is missing"):
        architecture.read(tmp_path)
