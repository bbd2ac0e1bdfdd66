"""What a caller may ask of the pools that serve a request: OpenRouter's `provider` object. Values only.

Providers go by slugs. A base slug means all of a provider's variants and regions (`openai` is also `openai/eu`), a full
slug one of them. Endpoints of a service tier (`openai/priority`) cost more or come later, so a base slug never means
those. A provider's display name is understood as well, and nobody needs to mind upper and lower case.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from router.policy.catalog import Pool
from router.policy.performance import Percentiles

_TIERS = ("priority", "flex")  # last parts of slugs
_ROUNDING = 1 + 1e-9  # a price per token times a million may be a hair above the price per million


class Sort(Enum):
    """By what pools are ordered, the best first."""

    PRICE = "price"
    THROUGHPUT = "throughput"
    LATENCY = "latency"
    EXACTO = "exacto"  # by how well tool calls are formed, as far as that is measured, and by throughput


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Bounds of percentiles, all of which must hold; None: any will do. Seconds, or tokens per second."""

    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None

    def are_met(self, measured: Percentiles | None, *, is_least: bool) -> bool:
        """Do the measured percentiles hold? Of what was never measured nothing bad is known.

        `is_least`: the bounds are the least that will do, else the most.
        """
        if measured is None:
            return True
        return all(
            bound is None or (value >= bound if is_least else value <= bound)
            for bound, value in (
                (self.p50, measured.p50),
                (self.p75, measured.p75),
                (self.p90, measured.p90),
                (self.p99, measured.p99),
            )
        )


@dataclass(frozen=True, slots=True)
class MaxPrice:
    """The most that may be paid, in USD; None: whatever it costs.

    Pictures and sound are paid for as tokens of the prompt here, so bounds on their own prices always hold.
    """

    prompt: float | None = None  # per million tokens
    completion: float | None = None  # per million tokens
    request: float | None = None  # per request

    def allows(self, pool: Pool) -> bool:
        price = pool.price
        return all(
            bound is None or asked <= bound * _ROUNDING
            for bound, asked in (
                (self.prompt, price.prompt * 1e6),
                (self.completion, price.completion * 1e6),
                (self.request, price.request),
            )
        )


@dataclass(frozen=True, slots=True)
class Preferences:
    """The `provider` object as policies know it. Lists that are empty count as not given."""

    order: tuple[str, ...] = ()  # slugs to try first
    allow_fallbacks: bool = True
    require_parameters: bool = False
    denies_training: bool = False  # `data_collection: deny`
    zdr: bool = False  # zero data retention
    distillable: bool = False  # `enforce_distillable_text`
    only: tuple[str, ...] = ()  # slugs
    ignore: tuple[str, ...] = ()  # slugs
    quantizations: frozenset[str] | None = None  # all that will do, subtypes among them
    sort: Sort | None = None
    is_across_models: bool = False  # `sort.partition: none`: the pools of all models are ordered together
    preferred_min_throughput: Cutoffs | None = None  # tokens per second
    preferred_max_latency: Cutoffs | None = None  # seconds to the first token
    max_price: MaxPrice | None = None


NO_PREFERENCES = Preferences()


def is_named(pool: Pool, name: str) -> bool:
    """Does this slug or display name mean the pool?"""
    asked, slug = name.casefold(), pool.slug.casefold()
    if asked == slug or asked == pool.provider.casefold():
        return True
    return slug.startswith(f"{asked}/") and slug.rpartition("/")[2] not in _TIERS


def is_among(pool: Pool, names: Iterable[str]) -> bool:
    """Does one of these slugs or display names mean the pool?"""
    return any(is_named(pool, name) for name in names)
