"""A pool as OpenRouter's "endpoint": what it takes, what it costs, and how well it did of late, measured.

Beside OpenRouter's keys stands `engine`: what the pool's engines say of themselves, so that quality can be compared.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from router.policy.catalog import Dialect, Pool
from router.protocol.engine_facts import EngineFacts
from router.protocol.model_object import ModelCard, parameters_of, price_object

QUANTIZATIONS = frozenset("int4 int8 fp4 mxfp4 nvfp4 fp6 fp8 mxfp8 fp16 bf16 fp32 unknown".split())  # OpenRouter's


class Percentiles(Protocol):
    """Of a distribution."""

    @property
    def p50(self) -> float: ...
    @property
    def p75(self) -> float: ...
    @property
    def p90(self) -> float: ...
    @property
    def p99(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """How a pool did; None: nothing is known."""

    latency: Percentiles | None = None  # seconds to the first token, over 30 minutes
    throughput: Percentiles | None = None  # tokens per second, over 30 minutes
    uptime_5m: float | None = None  # from 0 to 1
    uptime_30m: float | None = None
    uptime_1d: float | None = None


NOT_MEASURED = Measured()


@dataclass(frozen=True, slots=True)
class Standing:
    """How many of a pool's endpoints there are, and how many can be sent to."""

    up: int
    all: int

    @property
    def status(self) -> int:
        """OpenRouter's number. It only says that 0 is well; ours: -1 some are down, -2 all are, -10 there is none."""
        if not self.all:
            return -10
        return 0 if self.up == self.all else -1 if self.up else -2


def endpoint_object(
    card: ModelCard,
    pool: Pool,
    context_length: int,
    standing: Standing,
    measured: Measured = NOT_MEASURED,
    engines: Sequence[EngineFacts] = (),
) -> dict[str, object]:
    """One element of `endpoints`.

    Args:
        card: the model.
        pool: that serves it.
        context_length: tokens that it really has.
        standing: of its endpoints.
        measured: how it did.
        engines: what they say of themselves.
    """
    parameters = parameters_of(card, pool)
    chooses = "tool_choice" in parameters
    shown: dict[str, object] = {
        "name": f"{pool.provider}: {card.name}",
        "model_id": card.id,
        "model_name": card.name,
        "context_length": context_length,
        "pricing": price_object(pool.price),
        "provider_name": pool.provider,
        "tag": pool.slug,
        "quantization": quantization_of(pool),
        "max_completion_tokens": pool.max_completion_tokens,
        "max_prompt_tokens": None,
        "supported_parameters": list(parameters),
        "status": standing.status,
        "uptime_last_5m": _percent(measured.uptime_5m),
        "uptime_last_30m": _percent(measured.uptime_30m),
        "uptime_last_1d": _percent(measured.uptime_1d),
        "latency_last_30m": _figures(measured.latency, 1e3),
        "throughput_last_30m": _figures(measured.throughput, 1.0),
        "supports_implicit_caching": pool.dialect is Dialect.VLLM or pool.price.cached_prompt is not None,
        "supports_tool_choice": {
            "auto": "tools" in parameters,
            "none": chooses,
            "required": chooses,
            "function": chooses,
        },
        "native_tools": {},
        "service_tier": None,
        "supports_voice_cloning": False,
        "supports_diarization": False,
    }
    if engines:
        shown["engine"] = _engine(engines)
    return shown


def quantization_of(pool: Pool) -> str | None:
    """In OpenRouter's words, which have `unknown` for all others; None: nothing is said."""
    if pool.quantization is None or pool.quantization in QUANTIZATIONS:
        return pool.quantization
    return "unknown"


def _engine(engines: Sequence[EngineFacts]) -> dict[str, object]:
    versions = Counter(each.version for each in engines if each.version is not None)
    lengths = [each.max_model_len for each in engines if each.max_model_len is not None]
    first = engines[0]
    return {
        "name": first.name,
        "version": next(iter(versions)) if len(versions) == 1 else None,
        "versions": dict(versions.most_common()),  # how many engines have which
        "max_model_len": min(lengths, default=None),
        "parent": first.parent,
    }


def _figures(percentiles: Percentiles | None, scale: float) -> dict[str, float] | None:
    if percentiles is None:
        return None
    values = {"p50": percentiles.p50, "p75": percentiles.p75, "p90": percentiles.p90, "p99": percentiles.p99}
    return {name: round(value * scale, 1) for name, value in values.items()}


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)
