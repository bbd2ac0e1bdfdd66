"""Endpoints that are named in the configuration."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from router.policy.catalog import Endpoint, EndpointId


def static_endpoints(urls: Iterable[str]) -> tuple[Endpoint, ...]:
    """One endpoint per base URL, in the same order, each once.

    The id is the address, so that an engine which two pools name has one load and one breaker.
    Raises ValueError, naming the URL, when one is not `http(s)://host[:port][/path]`.
    """
    return tuple(dict.fromkeys(_endpoint(url) for url in urls))


def _endpoint(url: str) -> Endpoint:
    parts = urlsplit(url)
    try:
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or above 65535
        is_usable = False
    if not is_usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"endpoint URL {url!r}: must be http(s)://host[:port][/path] without user, query or fragment")
    base = url.rstrip("/")
    return Endpoint(id=EndpointId(base.partition("://")[2]), url=base)
