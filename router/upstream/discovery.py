"""Endpoints that are named in the configuration: engines by their addresses, and providers that are not ours."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from router.policy.catalog import Endpoint, EndpointId


def static_endpoints(urls: Iterable[str]) -> tuple[Endpoint, ...]:
    """One endpoint per base URL, in the same order, each once.

    The id is the address, so that an engine which two pools name has one load and one breaker.
    Raises ValueError, naming the URL, when one is not `http(s)://host[:port][/path]`.
    """
    return tuple(dict.fromkeys(_endpoint(url) for url in urls))


def provider_endpoint(slug: str, model: str, url: str) -> Endpoint:
    """The one endpoint of a provider's pool. Its id is of provider and model: a model that fails there, or is limited,
    says nothing of the others.
    """
    return Endpoint(id=EndpointId(f"{slug}/{model}"), url=url.rstrip("/"))


def is_base_url(url: str) -> bool:
    """Is it `http(s)://host[:port][/path]`, in printable ASCII?"""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or above 65535
        return False
    is_clean = url.isascii() and url.isprintable() and " " not in url
    return is_usable and is_clean and not (parts.query or parts.fragment or "@" in parts.netloc)


def _endpoint(url: str) -> Endpoint:
    if not is_base_url(url):
        raise ValueError(f"endpoint URL {url!r}: must be http(s)://host[:port][/path] without user, query or fragment")
    base = url.rstrip("/")
    return Endpoint(id=EndpointId(base.partition("://")[2]), url=base)
