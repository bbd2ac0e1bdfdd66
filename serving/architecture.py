"""The shape of a model and what follows from it by arithmetic: parameters, bytes of weights, bytes of KV cache.

Pure. The shape is Mistral's own `params.json`; a profile either states it or reads it from the weights' folder.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class VisionTower:
    """A Pixtral image encoder with the projector that leads into the language model."""

    width: int
    layers: int
    feed_forward_width: int
    patch_pixels: int
    merge: int  # patches along one side that become one token
    channels: int = 3

    def parameters(self, text_width: int) -> int:
        """Number of weights of the tower, the patch merger and the projector into `text_width`."""
        attention = 4 * self.width**2
        layer = attention + 3 * self.width * self.feed_forward_width + 2 * self.width
        patches = self.channels * self.patch_pixels**2 * self.width + self.width
        merger = self.width + self.width * self.merge**2 * self.width
        adapter = self.width * text_width + text_width**2
        return patches + self.layers * layer + merger + adapter


@dataclass(frozen=True, slots=True)
class Architecture:
    """A decoder of the Mistral family, with or without eyes."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward_width: int
    vocabulary: int
    context: int  # tokens
    vision: VisionTower | None = None

    @property
    def parameters(self) -> int:
        """Number of weights, image encoder included."""
        attention = self.width * self.head_width * 2 * (self.heads + self.kv_heads)
        layer = attention + 3 * self.width * self.feed_forward_width + 2 * self.width
        text = 2 * self.vocabulary * self.width + self.layers * layer + self.width
        return text + (self.vision.parameters(self.width) if self.vision else 0)

    def kv_bytes_per_token(self, bytes_per_value: int) -> int:
        """Keys and values of one token in all layers."""
        return 2 * self.layers * self.kv_heads * self.head_width * bytes_per_value


def from_params(params: Mapping[str, Any]) -> Architecture:
    """Read the shape from the values of a `params.json`.

    Raises:
        KeyError: a value is missing.
    """
    vision = params.get("vision_encoder")
    return Architecture(
        width=params["dim"],
        layers=params["n_layers"],
        heads=params["n_heads"],
        kv_heads=params["n_kv_heads"],
        head_width=params["head_dim"],
        feed_forward_width=params["hidden_dim"],
        vocabulary=params["vocab_size"],
        context=params["max_position_embeddings"],
        vision=VisionTower(
            width=vision["hidden_size"],
            layers=vision["num_hidden_layers"],
            feed_forward_width=vision["intermediate_size"],
            patch_pixels=vision["patch_size"],
            merge=vision["spatial_merge_size"],
        )
        if vision is not None
        else None,
    )


def read(folder: str | Path) -> Architecture:
    """Read `params.json` in a folder of weights.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no JSON, or a value is missing from it.
    """
    path = Path(folder) / "params.json"
    try:
        return from_params(json.loads(path.read_text(encoding="utf-8")))
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from None
