"""A model without weights: its shape and a tokenizer, for an engine that makes up the rest (`load_format: dummy`)."""

import json
from pathlib import Path

from serving.architecture import Architecture
from serving.config import ConfigError
from serving.profiles import find

PICTURE_PIXELS = 1540  # on a side: the largest picture the model takes


def random_weights(architecture: Architecture, folder: Path) -> None:
    """A model's folder without weights: shape, and mistral-common's largest tokenizer made like the model's own."""
    import mistral_common

    vision = architecture.vision
    if vision is None:
        raise ConfigError("random weights are made for models that see")
    params = {
        "dim": architecture.width,
        "n_layers": architecture.layers,
        "head_dim": architecture.head_width,
        "hidden_dim": architecture.feed_forward_width,
        "n_heads": architecture.heads,
        "n_kv_heads": architecture.kv_heads,
        "rope_theta": 1e9,
        "norm_eps": 1e-5,
        "vocab_size": architecture.vocabulary,
        "max_position_embeddings": architecture.context,
        "vision_encoder": {
            "hidden_size": vision.width,
            "num_hidden_layers": vision.layers,
            "num_attention_heads": vision.width // 64,
            "intermediate_size": vision.feed_forward_width,
            "num_channels": vision.channels,
            "patch_size": vision.patch_pixels,
            "image_size": PICTURE_PIXELS,
            "max_image_size": PICTURE_PIXELS,
            "rope_theta": 10000.0,
            "mm_projector_id": "patch_merge",
            "add_pre_mm_projector_layer_norm": True,
            "adapter_bias": False,
            "spatial_merge_size": vision.merge,
            "image_token_id": 10,
            "image_break_token_id": 12,
            "image_end_token_id": 13,
        },
    }
    tokenizer = json.loads((Path(mistral_common.__file__).parent / "data" / "tekken_240911.json").read_bytes())
    pocket = json.loads((Path(find("pocket", "cpu")[0].source) / "tekken.json").read_bytes())
    tokenizer["config"] |= {"version": "v7", "default_vocab_size": architecture.vocabulary}
    tokenizer |= {name: pocket[name] for name in ("special_tokens", "image", "version", "type")}
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "tekken.json").write_text(json.dumps(tokenizer))
