"""Providers as callers see them."""

import pytest

from router.policy.catalog import Pool
from router.protocol.provider_object import ProviderCard, provider_object, providers_of
from tests.router.openrouter import assert_valid_answer

FAR = ProviderCard("Far", "far", "https://far.example/privacy", "https://far.example/terms", None, "DE", ("DE", "FR"))


def test_each_provider_of_the_pools_is_there_once() -> None:
    pools = [
        Pool("a", "m", "m", provider="Far", slug="far/eu"),
        Pool("b", "m", "m"),
        Pool("c", "m", "m", provider="Far", slug="far/priority"),
    ]
    assert (FAR, ProviderCard("local", "local")) == providers_of(pools, [FAR, ProviderCard("Idle", "idle")])


def test_what_is_not_known_is_null() -> None:
    shown = [provider_object(card) for card in (FAR, ProviderCard("local", "local"))]
    assert_valid_answer("/providers", {"data": shown})
    assert (["DE", "FR"], None) == (shown[0]["datacenters"], shown[1]["datacenters"])
    assert (None, None) == (shown[1]["privacy_policy_url"], shown[1]["headquarters"])


@pytest.mark.parametrize(
    ("datacenters", "eu", "us"),
    [((), False, False), (("DE", "FR"), True, False), (("US",), False, True), (("DE", "US"), False, False)],
)
def test_a_provider_is_in_a_region_with_all_its_machines(datacenters: tuple[str, ...], eu: bool, us: bool) -> None:
    card = ProviderCard("x", "x", datacenters=datacenters)
    assert (eu, us) == (card.is_in("eu"), card.is_in("us"))
