"""Which pools may serve a call, in the order to try them: the fallback order.

Names become models (see model_names), pools that cannot serve the call are left out for a reason that is kept (see
eligible), and the others are put in order (see order). Models come in the order the caller gave, each with its own
pools, unless the caller wants the pools of all models sorted together. Every pool of these models is either planned
once or excluded once.

Two reasons are found only here. If no pool at all obeys `tools` or `tool_choice`, an answer that ignores them helps
nobody: all are left out; as long as one does, those that do not are only put last. And without fallbacks there is but
one pool, or those that `order` names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from router.policy.auto import Offer, ranked
from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.draft import UNCONDITIONAL, Conditions, Draft, Exclusion
from router.policy.favourites import Favourites, FavouriteSettings, Session
from router.policy.model_names import Asked, ModelNames, Strategy
from router.policy.order import Order, OrderSettings, Wish, price_of
from router.policy.performance import Performance


@dataclass(frozen=True, slots=True)
class Plan:
    """Pools to try, in order; those that were passed over; and how the models were found."""

    pools: tuple[Pool, ...]
    excluded: tuple[Exclusion, ...] = ()
    strategy: Strategy = Strategy.DIRECT
    family: str | None = None  # of which the newest model was wanted
    needs_web: str | None = None  # the name that asks for a search of the web, which nobody serves


NO_PLAN = Plan(())  # nothing is called so


class Planner:
    """One per configuration, shared by its requests.

    Args:
        names: the catalogue.
        performance: how the pools have done lately; told by others.
        rng: chance.
        order: settings of the order.
        favourites: what is remembered of sessions.
    """

    def __init__(
        self,
        names: ModelNames,
        *,
        performance: Performance,
        rng: Random,
        order: OrderSettings | None = None,
        favourites: Favourites | None = None,
    ) -> None:
        self._names = names
        self._rng = rng
        self._order = Order(performance, rng, order or OrderSettings())
        self._favourites = favourites or Favourites(FavouriteSettings())

    def plan(self, call: Call, now: float, conditions: Conditions = UNCONDITIONAL) -> Plan:
        """Order the pools for a call. An empty plan without exclusions means that no model is called so.

        Args:
            call: what is asked for, its models by the names that the caller used.
            now: seconds of the clock by which `performance` is told.
            conditions: what else counts.
        """
        draft = Draft(call, conditions)
        session = _session(call, conditions)
        favourite = None if session is None else self._favourites.of(session, now)
        first: Asked | None = None
        for name in call.models if call.fallback_models else (call.model,):
            asked = self._names.resolve(name)
            if asked is None:
                continue
            if asked.needs_web:
                return Plan((), needs_web=name)
            first = first or asked
            sort = conditions.preferences.sort or asked.sort
            members = {model: draft.take(asked, self._names.pools(model)) for model in asked.models}
            models = self._chosen(asked, members, call, conditions, favourite) if asked.is_choice else asked.models
            draft.groups += [(members[model], sort) for model in models]
        if first is None:
            return NO_PLAN
        if conditions.parameters:
            draft.leave_out_if_none_obeys("tools")
            draft.leave_out_if_none_obeys("tool_choice")
        pools = self._ordered(call, conditions, draft, favourite, now)
        if not conditions.preferences.allow_fallbacks:
            pools = draft.without_fallbacks(pools)
        return Plan(tuple(pools), draft.excluded, first.strategy, first.family)

    def has_served(self, call: Call, conditions: Conditions, pool: Pool, now: float) -> None:
        """The pool has answered the call well: the session's next turn goes there again."""
        if (session := _session(call, conditions)) is not None:
            self._favourites.note(session, pool.name, now)

    def _chosen(
        self,
        asked: Asked,
        members: Mapping[str, Sequence[Pool]],
        call: Call,
        conditions: Conditions,
        favourite: str | None,
    ) -> Sequence[str]:
        """Of the models that the router may choose from those that can do it, in the order to try them."""
        offers = [
            Offer(model, min(price_of(call, pool) for pool in pools), self._names.created(model))
            for model, pools in members.items()
            if pools
        ]
        if asked.strategy is Strategy.FREE:
            self._rng.shuffle(offers)
            models = [offer.model for offer in offers]
        else:
            models = [*ranked(offers, conditions.auto.tier)]
        return sorted(models, key=lambda model: favourite not in [pool.name for pool in members[model]])

    def _ordered(
        self, call: Call, conditions: Conditions, draft: Draft, favourite: str | None, now: float
    ) -> Sequence[Pool]:
        groups, preferences = draft.groups, conditions.preferences
        if preferences.is_across_models and groups:
            groups = [([pool for members, _ in groups for pool in members], groups[0][1])]
        pools: list[Pool] = []
        for members, sort in groups:
            if len(members) > 1:
                wish = Wish(call, preferences, sort, conditions.parameters, favourite)
                members = self._order(members, wish, now)
            pools += members
        return pools


def _session(call: Call, conditions: Conditions) -> Session | None:
    if conditions.session is None or conditions.preferences.order:
        return None
    return Session(call.account, call.model, conditions.session)
