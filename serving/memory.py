"""Whether a model fits a card, by arithmetic, before anything is started.

Per card: weights / cards + KV cache of one full-length request / tensor-parallel cards + overhead, against
memory x utilisation. An engine that cannot hold even one request of its own context length would refuse to start
minutes later, in the middle of a log.
"""

from dataclasses import dataclass

from serving.architecture import Architecture
from serving.config import ConfigError

GIB = 1024**3

BYTES_PER_VALUE = {
    "bfloat16": 2,
    "float16": 2,
    "float32": 4,
    "fp8": 1,
    "fp8_e4m3": 1,
    "fp8_e5m2": 1,
}
"""Bytes of one number by vLLM's name of the type."""


@dataclass(frozen=True, slots=True)
class Card:
    """One accelerator, as the engine may use it."""

    memory_gib: float
    utilisation: float  # share of the memory the engine may take: vLLM's gpu_memory_utilization
    overhead_gib: float  # activations, CUDA graphs, communication buffers, the driver's own context


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one card must hold, in GiB."""

    weights: float
    kv_cache: float
    overhead: float
    available: float

    @property
    def needed(self) -> float:
        return self.weights + self.kv_cache + self.overhead

    @property
    def fits(self) -> bool:
        return self.needed <= self.available


def footprint(
    architecture: Architecture,
    card: Card,
    *,
    tensor_parallel_size: int,
    pipeline_parallel_size: int,
    max_model_len: int,
    weight_bytes: int,
    kv_bytes: int,
) -> Footprint:
    """Share of one card, with one request of `max_model_len` tokens in the cache.

    Keys and values are split by heads; with more cards than key-value heads each card still holds one head.
    """
    cards = tensor_parallel_size * pipeline_parallel_size
    kv_split = min(tensor_parallel_size, architecture.kv_heads) * pipeline_parallel_size
    return Footprint(
        weights=architecture.parameters * weight_bytes / cards / GIB,
        kv_cache=architecture.kv_bytes_per_token(kv_bytes) * max_model_len / kv_split / GIB,
        overhead=card.overhead_gib,
        available=card.memory_gib * card.utilisation,
    )


def require_fit(need: Footprint, *, max_model_len: int, kv_bytes_per_token: float) -> None:
    """Refuse what cannot fit, saying what to change.

    Args:
        need: the footprint of one card.
        max_model_len: tokens of the context asked for.
        kv_bytes_per_token: bytes of KV cache of one token on one card.

    Raises:
        ConfigError: it does not fit.
    """
    if need.fits:
        return
    sums = (
        f"weights {need.weights:.1f} GiB + KV cache of one request of {max_model_len:,} tokens"
        f" {need.kv_cache:.1f} GiB + overhead {need.overhead:.1f} GiB = {need.needed:.1f} GiB a card,"
        f" but {need.available:.1f} GiB may be used"
    )
    room = need.available - need.weights - need.overhead
    if room <= 0:
        advice = "raise tensor_parallel_size or pipeline_parallel_size, or take a larger card"
    else:
        longest = int(room * GIB / kv_bytes_per_token)
        advice = (
            f"lower engine.max_model_len to {longest:,} or less, set engine.kv_cache_dtype to fp8"
            " (half the cache), or raise tensor_parallel_size"
        )
    raise ConfigError(f"the model does not fit: {sums}; {advice}")
