"""Which models of the catalogue a query means, and in which order.

What a model costs is what its first pool costs, as it is shown. What is true of pools (where they are, what they keep)
is true of a model if one of them will do: requests that insist on it go there.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from router.policy.catalog import Pool
from router.policy.preferences import is_among
from router.protocol.model_object import ModelCard
from router.protocol.model_query import ModelQuery, Sort
from router.protocol.provider_object import ProviderCard, base_slug

_DAY_S = 86_400
_ROUNDING = 9  # decimals of a price per million: that per token was divided by it


@dataclass(frozen=True, slots=True)
class Offer:
    """A model and the pools that serve it to somebody, at least one, with the tokens of context each really has."""

    card: ModelCard
    pools: Mapping[Pool, int]

    @property
    def first(self) -> Pool:
        """Whose price and limits stand for the model."""
        return next(iter(self.pools))

    @property
    def context_length(self) -> int:
        return max(self.pools.values())


class Speeds(Protocol):
    """How pools did of late, by their names; None: nothing is known."""

    def latency(self, pool: str) -> float | None:
        """Seconds to the first token, the median."""

    def throughput(self, pool: str) -> float | None:
        """Tokens per second, the median."""

    def tool_success(self, pool: str) -> float | None:
        """Share of the answers with tool calls whose calls were well formed."""


def choose(
    offers: Sequence[Offer], query: ModelQuery, providers: Iterable[ProviderCard], speeds: Speeds, unix_s: float
) -> list[Offer]:
    """All that are meant, of all pages.

    Args:
        offers: the catalogue, in its own order.
        query: what is asked for.
        providers: what is known of them.
        speeds: how pools did.
        unix_s: now.
    """
    has_categories = any(offer.card.categories for offer in offers)
    there = frozenset(card.slug for card in providers if query.region is not None and card.is_in(query.region))
    chosen = [
        offer
        for offer in offers
        if _is_model(offer, query, unix_s)
        and (query.category is None or not has_categories or query.category in offer.card.categories)
        and _is_served(offer, query, there)
        and (not query.tool_success.is_given or query.tool_success.holds(_best(offer, speeds.tool_success, max)))
    ]
    key = _order(query.sort, speeds)
    return chosen if key is None else sorted(chosen, key=key)


def _is_model(offer: Offer, query: ModelQuery, unix_s: float) -> bool:
    card, price = offer.card, offer.first.price
    text = f"{card.id} {card.name}".casefold()
    return (
        not query.has_benchmark
        and (query.outputs is None or not query.outputs.isdisjoint(card.output_modalities))
        and query.inputs.issubset(card.input_modalities)
        and all(word in text for word in query.words)
        and offer.context_length >= query.context
        and query.price.holds(_per_million(price.prompt))
        and query.output_price.holds(_per_million(price.completion))
        and (query.arch is None or query.arch == card.tokenizer.casefold())
        and (not query.authors or card.author.casefold() in query.authors)
        and query.age_days.holds((unix_s - card.created) / _DAY_S)
        and query.parameters.issubset(name for pool in offer.pools for name in pool.parameters or card.parameters)
    )


def _is_served(offer: Offer, query: ModelQuery, there: frozenset[str]) -> bool:
    return (
        (not query.providers or any(is_among(pool, query.providers) for pool in offer.pools))
        and (query.distillable is None or query.distillable is any(pool.is_distillable for pool in offer.pools))
        and (not query.zdr or any(keeps_nothing(pool) for pool in offer.pools))
        and (query.region is None or any(base_slug(pool) in there for pool in offer.pools))
    )


def keeps_nothing(pool: Pool) -> bool:
    """Zero data retention."""
    return not (pool.retains or pool.trains)


def _order(sort: Sort | None, speeds: Speeds) -> Callable[[Offer], float] | None:
    """By what to sort, the least first; None: as they are."""
    match sort:
        case Sort.NEWEST:
            return lambda offer: -offer.card.created
        case Sort.PRICE_UP:
            return _price
        case Sort.PRICE_DOWN:
            return lambda offer: -_price(offer)
        case Sort.CONTEXT:
            return lambda offer: -offer.context_length
        case Sort.THROUGHPUT:
            return lambda offer: -_known(_best(offer, speeds.throughput, max), -math.inf)
        case Sort.LATENCY:
            return lambda offer: _known(_best(offer, speeds.latency, min), math.inf)
        case _:
            return None


def _price(offer: Offer) -> float:
    return offer.first.price.prompt + offer.first.price.completion


def _best(
    offer: Offer, measure: Callable[[str], float | None], best: Callable[[Iterable[float]], float]
) -> float | None:
    values = [value for pool in offer.pools if (value := measure(pool.name)) is not None]
    return best(values) if values else None


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _per_million(usd_per_token: float) -> float:
    return round(usd_per_token * 1e6, _ROUNDING)
