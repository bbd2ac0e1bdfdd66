"""Parallel sizes become a Ray placement group, or a refusal that says what to change.

Pure. One bundle per worker, and Ray puts the replica's own process into the first bundle. A tensor-parallel group
exchanges activations in every layer, so it must lie inside one node; only pipeline stages may cross nodes.
"""

from dataclasses import dataclass

from serving.architecture import Architecture
from serving.config import ConfigError


@dataclass(frozen=True, slots=True)
class Placement:
    """What Ray has to find room for, for one replica."""

    bundles: tuple[dict[str, float], ...]
    strategy: str  # Ray's name: STRICT_PACK is one node, PACK is as few as possible


def place(
    architecture: Architecture,
    *,
    tensor_parallel_size: int,
    pipeline_parallel_size: int,
    cards_per_node: int,
    on_gpu: bool,
    cpus_per_worker: float,
) -> Placement:
    """Lay out the workers of one replica.

    Args:
        architecture: for what the sizes must divide.
        tensor_parallel_size: workers that share each layer.
        pipeline_parallel_size: stages.
        cards_per_node: accelerators of one machine; on CPU, the processes it may run.
        on_gpu: whether each worker takes a GPU.
        cpus_per_worker: CPU cores set aside for each.

    Raises:
        ConfigError: the sizes do not suit the model or the machine.
    """
    if architecture.heads % tensor_parallel_size:
        raise ConfigError(
            f"tensor_parallel_size: {tensor_parallel_size} does not divide the model's {architecture.heads}"
            f" attention heads; use one of {_divisors(architecture.heads)}"
        )
    if architecture.kv_heads % tensor_parallel_size and tensor_parallel_size % architecture.kv_heads:
        raise ConfigError(
            f"tensor_parallel_size: {tensor_parallel_size} and the model's {architecture.kv_heads} key-value heads"
            f" do not divide each other; use one of {_divisors(architecture.kv_heads)}"
        )
    if pipeline_parallel_size > architecture.layers:
        raise ConfigError(
            f"pipeline_parallel_size: {pipeline_parallel_size} stages for {architecture.layers} layers;"
            " a stage needs at least one layer"
        )
    if tensor_parallel_size > cards_per_node:
        raise ConfigError(
            f"tensor_parallel_size: {tensor_parallel_size} is more than the {cards_per_node} workers of one node of"
            " this preset, and a tensor-parallel group must not cross nodes; lower it and raise"
            " pipeline_parallel_size instead"
        )
    workers = tensor_parallel_size * pipeline_parallel_size
    if not on_gpu and workers > cards_per_node:
        raise ConfigError(
            f"pipeline_parallel_size: {workers} workers are needed, and on CPU all of a replica's workers run on one"
            f" node, which this preset limits to {cards_per_node}"
        )
    bundle = {"CPU": cpus_per_worker} | ({"GPU": 1.0} if on_gpu else {})
    return Placement(
        bundles=tuple(dict(bundle) for _ in range(workers)),
        strategy="STRICT_PACK" if workers <= cards_per_node else "PACK",
    )


def _divisors(number: int) -> str:
    return ", ".join(str(size) for size in range(1, number + 1) if number % size == 0)
