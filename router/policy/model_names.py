"""From the name that a caller asks for to the models that may be meant: OpenRouter's ways of naming, our catalogue.

In this order, the first that fits:
- a slug of the catalogue, whatever it looks like;
- an alias of the configuration: a name that programs have built in, for one of ours (`gpt-4o`, `~acme/chat-latest`);
- `openrouter/auto`, any model, and `openrouter/free`, any model that costs nothing;
- `~author/family-latest`, the newest model whose slug begins with `author/family`;
- any of these with variants behind it: `:nitro` (by throughput), `:floor` (by price), `:exacto` (by quality) and
  `:free` (only pools that cost nothing). Of several that order, the last counts. `:online` means the web plugin, which
  is not here. Other endings are part of a slug or nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from router.policy.catalog import Pool
from router.policy.preferences import Sort

AUTO = "openrouter/auto"
FREE = "openrouter/free"
_SORTS = {"nitro": Sort.THROUGHPUT, "floor": Sort.PRICE, "exacto": Sort.EXACTO}
_VARIANTS = frozenset({*_SORTS, "free", "online"})
_LATEST = "-latest"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_TIMES: Mapping[str, int] = MappingProxyType({})


class Strategy(Enum):
    """How the models were found, in the words of `openrouter_metadata.strategy`."""

    DIRECT = "direct"
    ALIAS = "alias"
    LATEST = "latest"
    AUTO = "auto"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a name comes to."""

    models: tuple[str, ...]  # slugs; of AUTO and FREE all there are, in no order
    strategy: Strategy = Strategy.DIRECT
    sort: Sort | None = None  # its pools, unless the caller says otherwise
    is_free: bool = False  # nothing may be paid
    needs_web: bool = False  # a search of the web is wanted with it
    family: str | None = None  # of which the newest is wanted

    @property
    def is_choice(self) -> bool:
        """Is one of the models to be chosen for the caller?"""
        return self.strategy in (Strategy.AUTO, Strategy.FREE)


class ModelNames:
    """The catalogue by names. Made once.

    Args:
        pools: all there are, in the order of the configuration.
        created: when each model came out, in Unix seconds, by slug; without one it counts as the oldest.
        aliases: names for other names.

    Raises:
        ValueError: an alias leads to nothing or has the name of a model; the message names it.
    """

    def __init__(
        self,
        pools: Iterable[Pool],
        *,
        created: Mapping[str, int] = _NO_TIMES,
        aliases: Mapping[str, str] = _NOTHING,
    ) -> None:
        by_model: dict[str, list[Pool]] = {}
        for pool in pools:
            by_model.setdefault(pool.model, []).append(pool)
        self._pools = {model: tuple(members) for model, members in by_model.items()}
        self._asked = {model: Asked((model,)) for model in self._pools}
        self._created = dict(created)
        everything = tuple(self._pools)
        self._asked.setdefault(AUTO, Asked(everything, Strategy.AUTO))
        self._asked.setdefault(FREE, Asked(everything, Strategy.FREE, is_free=True))
        self._asked |= {alias: self._aliased(alias, name) for alias, name in aliases.items()}

    def pools(self, model: str) -> tuple[Pool, ...]:
        """Of a model by its slug, in the order of the configuration."""
        return self._pools.get(model, ())

    def created(self, model: str) -> int:
        """When it came out, in Unix seconds."""
        return self._created.get(model, 0)

    def resolve(self, name: str) -> Asked | None:
        """What the name comes to, or None: nothing is called so."""
        variants: list[str] = []
        while (asked := self._asked.get(name) or self._latest(name)) is None:
            name, _, variant = name.rpartition(":")
            if variant not in _VARIANTS or not name:
                return None
            variants.append(variant)
        for variant in reversed(variants):
            if variant == "free":
                asked = replace(asked, is_free=True)
            elif variant == "online":
                asked = replace(asked, needs_web=True)
            else:
                asked = replace(asked, sort=_SORTS[variant])
        return asked

    def _latest(self, name: str) -> Asked | None:
        if not name.startswith("~") or not name.endswith(_LATEST):
            return None
        family = name[1 : -len(_LATEST)]
        members = [model for model in self._pools if _is_of(model, family)]
        if not members:
            return None
        newest = max(members, key=lambda model: (self.created(model), model))
        return Asked((newest,), Strategy.LATEST, family=family)

    def _aliased(self, alias: str, name: str) -> Asked:
        if alias in self._pools:
            raise ValueError(f"aliases.{alias}: a model is called so")
        asked = self.resolve(name)
        if asked is None:
            raise ValueError(f"aliases.{alias}: there is no model {name}")
        if asked.strategy is not Strategy.DIRECT:
            return asked
        return replace(asked, strategy=Strategy.LATEST if alias.startswith("~") else Strategy.ALIAS)


def _is_of(model: str, family: str) -> bool:
    """`a/b` is the family of `a/b`, `a/b-2` and `a/b.2`, and not of `a/bc`."""
    return "/" in family and model.startswith(family) and not model[len(family) : len(family) + 1].isalpha()
