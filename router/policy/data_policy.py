"""What may be done with what a key sends, by its guardrails. Each that says no counts.

Zero data retention is demanded by whose model it is, as OpenRouter does; training by whether the answer is paid for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from router.policy.catalog import Pool, Price

OTHER = "other"
_AUTHORS: Mapping[str, str] = MappingProxyType(
    {"anthropic": "anthropic", "google": "google", "openai": "openai", "x-ai": "xai"}
)
FAMILIES = (*_AUTHORS.values(), OTHER)


def family(model: str) -> str:
    """Whose rules hold for a slug: anthropic, google, openai, xai or other."""
    author = model.lstrip("~").partition("/")[0] if "/" in model else ""
    return _AUTHORS.get(author.lower(), OTHER)


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """All pools that serve a model fit it, unless it forbids something."""

    zdr: frozenset[str] = frozenset()  # families of models that only pools may serve which keep nothing
    denies_free_training: bool = False  # no pool that trains and takes no money
    denies_paid_training: bool = False  # no pool that trains and is paid

    def why_not(self, pool: Pool) -> str | None:
        """OpenRouter's word for why the pool is left out, or None."""
        if pool.trains and (self.denies_free_training if _is_free(pool.price) else self.denies_paid_training):
            return "data_policy:training"
        if self.zdr and (pool.retains or pool.trains) and family(pool.model) in self.zdr:
            return "data_policy:zdr"
        return None


ANYTHING = DataPolicy()


def _is_free(price: Price) -> bool:
    return not (price.prompt or price.completion or price.request)
