"""Writes a checkpoint of the trainer as a model folder in Mistral's own format.

`python -m serving.pocket.export RUN/checkpoint.pt OUT` writes `params.json` and `consolidated.safetensors` (bfloat16)
and copies the run's `tekken.json`. Names and layouts are the trainer's own: only the number type changes.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from serving.pocket.model import MERGE, NORM_EPSILON, PATCH, PocketModel, Shape
from serving.pocket.render import IMG, IMG_BREAK, IMG_END, Renderer

WEIGHTS = Path(__file__).parent / "weights"
MAX_POSITIONS = 16_384
"""Longest context in tokens that the engine may be asked to serve; training saw a few hundred."""
MAX_IMAGE_SIZE = 1540  # pixels a side, as in Mistral Small 3.1


def params_of(shape: Shape) -> dict[str, Any]:
    """The value of `params.json` for a model of this shape."""
    return {
        "dim": shape.dim,
        "n_layers": shape.layers,
        "head_dim": shape.head_dim,
        "hidden_dim": shape.hidden,
        "n_heads": shape.heads,
        "n_kv_heads": shape.kv_heads,
        "rope_theta": shape.rope_theta,
        "norm_eps": NORM_EPSILON,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": MAX_POSITIONS,
        "vision_encoder": {
            "hidden_size": shape.vision_dim,
            "num_hidden_layers": shape.vision_layers,
            "num_attention_heads": shape.vision_heads,
            "intermediate_size": shape.vision_hidden,
            "num_channels": 3,
            "patch_size": PATCH,
            "image_size": MAX_IMAGE_SIZE,
            "max_image_size": MAX_IMAGE_SIZE,
            "rope_theta": shape.vision_rope_theta,
            "mm_projector_id": "patch_merge",
            "add_pre_mm_projector_layer_norm": True,
            "adapter_bias": False,
            "spatial_merge_size": MERGE,
            "image_token_id": IMG,
            "image_break_token_id": IMG_BREAK,
            "image_end_token_id": IMG_END,
        },
    }


def export(model: PocketModel, tekken: Path, out: Path) -> None:
    """Writes the model folder `out`; an existing one is overwritten."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.to(torch.bfloat16).contiguous() for name, value in model.state_dict().items()}
    save_file(weights, out / "consolidated.safetensors")
    (out / "consolidated.safetensors").chmod(0o644)  # safetensors writes for its owner alone; servers run as others
    (out / "params.json").write_text(json.dumps(params_of(model.shape), indent=2) + "\n", encoding="utf-8")
    if tekken.resolve() != (out / "tekken.json").resolve():
        shutil.copyfile(tekken, out / "tekken.json")


def load(folder: Path = WEIGHTS) -> tuple[PocketModel, Renderer]:
    """The model of an exported folder, in float32, and its tokenizer's renderer."""
    renderer = Renderer(folder / "tekken.json")
    model = PocketModel(Shape(renderer.vocabulary))
    weights = load_file(folder / "consolidated.safetensors")
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model.eval(), renderer


def main(checkpoint: Path, out: Path) -> None:
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    vocabulary = state["model"]["tok_embeddings.weight"].shape[0]
    model = PocketModel(Shape(vocabulary))
    model.load_state_dict(state["model"])
    export(model, checkpoint.parent / "tekken.json", out)
    size = sum(file.stat().st_size for file in out.iterdir() if file.is_file())
    print(f"{out}: step {state['step']}, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
