"""Settings of the media fetcher that make no sense are refused by their name."""

from ipaddress import ip_network
from typing import Any

import pytest

from router.protocol.address import Addresses
from router.protocol.media_url import UrlRules
from router.upstream.media_settings import MediaSettings


def test_by_default_nothing_is_fetched_and_when_it_is_then_over_https() -> None:
    assert not MediaSettings().enabled
    assert UrlRules() == MediaSettings().url_rules()
    assert UrlRules(addresses=Addresses()) == UrlRules(("https",), (443, 80), (), Addresses((), ()))


def test_exceptions_reach_the_rules() -> None:
    allow, deny = (ip_network("10.0.0.0/8"),), (ip_network("8.8.8.0/24"),)
    settings = MediaSettings(allow_addresses=allow, deny_addresses=deny, hosts=("a.example",), ports=(9000,))
    assert UrlRules(("https",), (9000,), ("a.example",), Addresses(allow, deny)) == settings.url_rules()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schemes", ()),
        ("ports", ()),
        ("ports", (0,)),
        ("ports", (65_536,)),
        ("hosts", ("https://a.example",)),
        ("connect_s", 0),
        ("total_s", -1.0),
        ("wait_s", 0),
        ("cache_ttl_s", float("nan")),
        ("redirects", -1),
        ("fetches", 0),
        ("fetches_per_host", 0),
        ("fetches_per_request", 0),
        ("receiving_bytes", 0),
        ("cache_bytes", -1),
        ("cache_urls", 0),
    ],
)
def test_a_setting_out_of_its_range_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{field}"):
        MediaSettings(**{field: value})
