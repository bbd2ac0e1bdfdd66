"""What a profile says about a model, and a preset about the hardware under it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from serving.architecture import Architecture
from serving.memory import Card

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of machine, with the sizes and engine arguments that suit the model on it."""

    name: str
    cards_per_node: int  # on CPU: processes a replica may spread over
    tensor_parallel_size: int
    max_model_len: int  # tokens
    max_num_batched_tokens: int  # tokens an engine iteration may compute
    card: Card | None = None  # None: CPU
    accelerator_type: str | None = None  # Ray's name of the card; None: any
    kv_cache_dtype: str = "auto"
    engine: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    environment: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Profile:
    """One model: where it lies, its shape, what it takes and how it is asked."""

    name: str
    model_id: str
    source: str
    architecture: Architecture | None  # None: read from the source's params.json
    images_per_request: int
    tool_parser: str
    sampling: Mapping[str, float]
    engine: Mapping[str, Any]
    presets: Mapping[str, Preset]


def by_name(*presets: Preset) -> Mapping[str, Preset]:
    return MappingProxyType({preset.name: preset for preset in presets})
