"""Endpoints named in the configuration."""

import pytest

from router.policy.catalog import Endpoint, EndpointId
from router.upstream.discovery import is_base_url, provider_endpoint, static_endpoints


def test_each_url_is_an_endpoint_whose_id_is_its_address() -> None:
    expected = (
        Endpoint(EndpointId("10.0.0.1:8000"), "http://10.0.0.1:8000"),
        Endpoint(EndpointId("engine.example/a"), "https://engine.example/a"),
        Endpoint(EndpointId("[::1]:8000"), "http://[::1]:8000"),
    )
    urls = ["http://10.0.0.1:8000/", "https://engine.example/a", "http://[::1]:8000", "http://10.0.0.1:8000"]
    assert expected == static_endpoints(urls)


@pytest.mark.parametrize(
    "url",
    [
        "", "10.0.0.1:8000", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:99999", "http://a:x",
        "http://a?q=1", "http://a#f", "http://user:secret@a",
    ],
)  # fmt: skip
def test_what_is_no_base_url_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint URL .* must be http"):
        static_endpoints(["http://fine:1", url])


def test_a_providers_endpoint_is_known_by_provider_and_model() -> None:
    endpoint = provider_endpoint("openrouter", "author/slug", "https://openrouter.ai/api/v1/")
    assert Endpoint(EndpointId("openrouter/author/slug"), "https://openrouter.ai/api/v1") == endpoint


@pytest.mark.parametrize("url", ["https://a b", "https://é.example", "https://a.example/\n"])
def test_a_base_url_is_printable_ascii(url: str) -> None:
    assert not is_base_url(url)
