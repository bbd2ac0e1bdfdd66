"""Profile + preset + overrides become one engine: its vLLM arguments, environment and placement.

Later wins: what every engine of ours has on, the profile, the preset, the deployment file's `engine`. Sizes that the
file states by name (`tensor_parallel_size`, `pipeline_parallel_size`) are not accepted again under `engine`, so that
placement and memory are always those of the engine that starts. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import architecture as shapes
from serving.architecture import Architecture
from serving.config import ConfigError, Deployment
from serving.memory import BYTES_PER_VALUE, Card, Footprint, footprint, require_fit
from serving.placement import Placement, place
from serving.profiles import find
from serving.profiles.base import Preset, Profile

OWNED = {
    "model": "use source",
    "served_model_name": "use model_id",
    "tensor_parallel_size": "use tensor_parallel_size beside engine, not under it",
    "pipeline_parallel_size": "use pipeline_parallel_size beside engine, not under it",
    "data_parallel_size": "use replicas: each replica answers on a port of its own",
    "distributed_executor_backend": "it follows from the preset",
    "kv_events_config": "use kv_events",
    "disable_log_stats": "liveness and routing read the engine's statistics",
    "host": "Ray Serve opens the ports",
    "port": "Ray Serve opens the ports",
}
"""vLLM arguments that something else here decides, each with what to do instead."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything needed to start one replica's engine."""

    model_id: str
    source: str
    arguments: Mapping[str, Any]
    environment: Mapping[str, str]
    placement: Placement
    accelerator_type: str | None
    on_gpu: bool


def resolve(deployment: Deployment) -> Engine:
    """Work out the engine of a deployment and refuse what cannot run.

    Raises:
        ConfigError: unknown profile or preset, weights that are not there, sizes that do not suit, an argument that
            is decided elsewhere, or a model that does not fit the card.
    """
    profile, preset = find(deployment.model, deployment.preset)
    for name, advice in OWNED.items():
        if name in deployment.engine:
            raise ConfigError(f"engine.{name}: not here: {advice}")
    source = _absolute(deployment.source or profile.source)
    architecture = _architecture(profile, source)
    tensor_parallel_size = deployment.tensor_parallel_size or preset.tensor_parallel_size
    arguments = _arguments(deployment, profile, preset, tensor_parallel_size)
    _check_context(architecture, arguments)
    placement = place(
        architecture,
        tensor_parallel_size=tensor_parallel_size,
        pipeline_parallel_size=deployment.pipeline_parallel_size,
        cards_per_node=preset.cards_per_node,
        on_gpu=preset.card is not None,
        cpus_per_worker=deployment.cpus_per_worker,
    )
    if preset.card is not None:
        need, kv_bytes_per_token = memory_of(architecture, preset.card, arguments)
        require_fit(need, max_model_len=arguments["max_model_len"], kv_bytes_per_token=kv_bytes_per_token)
    return Engine(
        model_id=deployment.model_id or profile.model_id,
        source=source,
        arguments=arguments,
        # Block hashes must agree between replicas for an index of all caches to mean anything, and vLLM seeds them
        # from Python's hash seed.
        environment={"PYTHONHASHSEED": "0", "VLLM_NO_USAGE_STATS": "1"}
        | dict(preset.environment)
        | deployment.environment,
        placement=placement,
        accelerator_type=preset.accelerator_type,
        on_gpu=preset.card is not None,
    )


def _arguments(deployment: Deployment, profile: Profile, preset: Preset, tensor_parallel_size: int) -> dict[str, Any]:
    always: dict[str, Any] = {
        "dtype": "bfloat16",
        "enable_prefix_caching": True,
        "enable_prompt_tokens_details": True,
        "enable_auto_tool_choice": True,
        "tool_call_parser": profile.tool_parser,
        # Constrained answers without free white space: a model that is at a loss would fill its tokens with it, and the
        # document would never end. vLLM can do this with a backend that is named only.
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        "limit_mm_per_prompt": {"image": profile.images_per_request},
        "generation_config": "vllm",
        "override_generation_config": dict(profile.sampling),
        "max_model_len": preset.max_model_len,
        "max_num_batched_tokens": preset.max_num_batched_tokens,
        "kv_cache_dtype": preset.kv_cache_dtype,
        "tensor_parallel_size": tensor_parallel_size,
        "pipeline_parallel_size": deployment.pipeline_parallel_size,
    }
    if preset.card is not None:
        always["gpu_memory_utilization"] = preset.card.utilisation
    return always | dict(profile.engine) | dict(preset.engine) | deployment.engine


def _absolute(source: str) -> str:
    # Replicas run in another folder, maybe on another machine; the name of a repository stays as it is.
    return str(Path(source).resolve()) if Path(source).is_dir() else source


def _architecture(profile: Profile, source: str) -> Architecture:
    if profile.architecture is not None:
        return profile.architecture
    try:
        return shapes.read(source)
    except FileNotFoundError:
        raise ConfigError(f"source: {Path(source) / 'params.json'} is not there") from None
    except ValueError as error:
        raise ConfigError(f"source: {error}") from None


def _check_context(architecture: Architecture, arguments: Mapping[str, Any]) -> None:
    asked = arguments["max_model_len"]
    if not isinstance(asked, int) or not 1 <= asked <= architecture.context:
        raise ConfigError(
            f"engine.max_model_len: {asked!r} is not a whole number from 1 to {architecture.context:,},"
            " the model's context"
        )


def memory_of(architecture: Architecture, card: Card, arguments: Mapping[str, Any]) -> tuple[Footprint, float]:
    """What an engine of these arguments needs of each card, and how many bytes of KV cache a token takes there.

    Raises:
        ConfigError: naming the argument whose type has no known size.
    """
    own = arguments["kv_cache_dtype"] == "auto"  # the cache has the type that the model computes in
    kv_bytes = _bytes_per_value("dtype" if own else "kv_cache_dtype", arguments)
    tensor_parallel_size = arguments["tensor_parallel_size"]
    pipeline_parallel_size = arguments["pipeline_parallel_size"]
    need = footprint(
        architecture,
        Card(card.memory_gib, arguments["gpu_memory_utilization"], card.overhead_gib),
        tensor_parallel_size=tensor_parallel_size,
        pipeline_parallel_size=pipeline_parallel_size,
        max_model_len=arguments["max_model_len"],
        weight_bytes=_weight_bytes(arguments),
        kv_bytes=kv_bytes,
    )
    split = min(tensor_parallel_size, architecture.kv_heads) * pipeline_parallel_size
    return need, architecture.kv_bytes_per_token(kv_bytes) / split


def _weight_bytes(arguments: Mapping[str, Any]) -> int:
    # vLLM turns bfloat16 weights into 8-bit ones as it loads them; other quantisations come with their own weights
    # and are counted as 8 bits too, which is on the safe side of 4.
    return 1 if arguments.get("quantization") else _bytes_per_value("dtype", arguments)


def _bytes_per_value(name: str, arguments: Mapping[str, Any]) -> int:
    dtype = arguments[name]
    size = BYTES_PER_VALUE.get(dtype)
    if size is None:
        raise ConfigError(f"engine.{name}: {dtype!r} is none of {', '.join(BYTES_PER_VALUE)}")
    return size
