"""The balancing algorithms by their names in the configuration."""

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from router.policy.balance import Balancer
from router.policy.least_request import LeastRequest
from router.policy.lmetric import LMetric
from router.policy.power_of_two import PowerOfTwo
from router.policy.prefix_hash import PrefixHash, PrefixHashSettings
from router.policy.round_robin import RoundRobin
from router.policy.shadow_price import ShadowPrice, ShadowPriceSettings
from router.policy.sticky import Sticky, StickySettings

Name = Literal[
    "shadow-price",
    "lmetric",
    "sticky-until-saturated",
    "least-request",
    "power-of-two",
    "round-robin",
    "prefix-hash",
]


@dataclass(frozen=True, slots=True)
class BalancerSettings:
    """Of those algorithms that have any."""

    shadow_price: ShadowPriceSettings = field(default_factory=ShadowPriceSettings)
    sticky: StickySettings = field(default_factory=StickySettings)
    prefix_hash: PrefixHashSettings = field(default_factory=PrefixHashSettings)


def make(name: Name, settings: BalancerSettings, rng: Random) -> Balancer:
    """A balancer for one pool."""
    match name:
        case "shadow-price":
            return ShadowPrice(settings.shadow_price)
        case "lmetric":
            return LMetric()
        case "sticky-until-saturated":
            return Sticky(settings.sticky)
        case "least-request":
            return LeastRequest()
        case "power-of-two":
            return PowerOfTwo(rng)
        case "round-robin":
            return RoundRobin()
        case _:  # prefix-hash
            return PrefixHash(settings.prefix_hash)
