"""A provider in OpenRouter's shape, and in which region its machines are, as far as that is known."""

from collections.abc import Iterable
from dataclasses import dataclass

from router.policy.catalog import Pool

_EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
REGIONS = {"eu": _EU, "us": frozenset({"US"})}


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """What the operator says of a provider; None: nothing."""

    name: str  # as answers show it
    slug: str  # as callers name it
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    status_page_url: str | None = None
    headquarters: str | None = None  # country, ISO 3166-1 alpha-2
    datacenters: tuple[str, ...] = ()  # countries, likewise

    def is_in(self, region: str) -> bool:
        """Are all its machines in the region (a key of REGIONS)? Not if it is not known where they are."""
        return bool(self.datacenters) and REGIONS[region].issuperset(self.datacenters)


def provider_object(card: ProviderCard) -> dict[str, object]:
    """One element of `GET /providers`' `data`."""
    return {
        "name": card.name,
        "slug": card.slug,
        "privacy_policy_url": card.privacy_policy_url,
        "terms_of_service_url": card.terms_of_service_url,
        "status_page_url": card.status_page_url,
        "headquarters": card.headquarters,
        "datacenters": list(card.datacenters) or None,
    }


def base_slug(pool: Pool) -> str:
    """Of the pool's provider, without region and tier: `openai` of `openai/eu`."""
    return pool.slug.partition("/")[0]


def providers_of(pools: Iterable[Pool], said: Iterable[ProviderCard]) -> tuple[ProviderCard, ...]:
    """One for each provider of the pools, in their order; what nothing is said of has its names only."""
    cards = {card.slug: card for card in said}
    found: dict[str, ProviderCard] = {}
    for pool in pools:
        slug = base_slug(pool)
        found.setdefault(slug, cards.get(slug) or ProviderCard(pool.provider, slug))
    return tuple(found.values())
