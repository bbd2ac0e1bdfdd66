"""Is this the URL of a picture that may be fetched? What a URL may look like, before any name is resolved.

Attacks live on two programs that read one URL differently. So there is one form only, checked character by character,
and what is fetched is put together anew from the pieces that were checked: scheme, host, port, path and query, nothing
else. Whatever needs interpretation is refused rather than interpreted: user names, escapes and non-ASCII characters in
the host, numbers that some resolvers take for addresses (0x7f.1, 2130706433), dots at the end, backslashes, fragments.

A name says nothing of where it leads: addresses are checked when they are known (see address, and upstream/media*).
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal
from urllib.parse import quote, urljoin

from router.protocol.address import Addresses

DEFAULT_PORT = {"http": 80, "https": 443}
MAX_CHARS = 4_096  # signed links to object stores have some 1,500; most servers refuse over 8,192
_SHAPE = re.compile(r"(?s)(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?(#.*)?", re.IGNORECASE | re.ASCII)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")  # read as it is: `https:///x` is taken for many things
_FORBIDDEN = re.compile(
    r"[\x00-\x20\x7f-\x9f\\\u2028\u2029\ud800-\udfff]"
)  # controls, space, backslash, half characters
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label like that makes resolvers read the name as an address
_MAX_HOST = 253  # characters of a name, by the DNS
_PATTERN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*|\*(?:\.{_LABEL.pattern}){{2,}}")
_KEPT = "/%:@!$&'()*+,;=~"  # as they are in paths; letters, digits and -._ always are
# Names that only ever lead inside, whatever a resolver says (RFC 6761, 6762, 8375, 9476, and custom)
_INSIDE = frozenset(
    "localhost local localdomain internal intranet private corp home lan svc cluster alt onion test invalid".split()
)
_INSIDE_ARPA = frozenset({"home.arpa", "ip6.arpa", "in-addr.arpa"})


@dataclass(frozen=True, slots=True)
class MediaUrl:
    """A URL that may be fetched, in its one form."""

    scheme: str
    host: str  # a name in lower case, or an address; of IPv6 without brackets
    port: int
    target: str  # path and query, ASCII

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORT[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


@dataclass(frozen=True, slots=True)
class UrlRules:
    """Which URLs may be fetched."""

    schemes: tuple[Literal["https", "http"], ...] = ("https",)
    ports: tuple[int, ...] = (443, 80)
    hosts: tuple[str, ...] = ()  # `example.com`, `*.example.com` (any depth, not itself); none: whatever is public
    addresses: Addresses = field(default_factory=Addresses)

    def __post_init__(self) -> None:
        for host in self.hosts:
            if not _PATTERN.fullmatch(host) and not _is_address(host):
                raise ValueError(f"hosts: {host!r} is not a name in lower case like example.com or *.example.com")

    def read(self, text: str) -> MediaUrl:
        """Check a URL. Raises ValueError: it may not be fetched; the message says why."""
        if len(text) > MAX_CHARS:
            raise ValueError(f"the URL is longer than {MAX_CHARS} characters")
        if _FORBIDDEN.search(text):
            raise ValueError("the URL holds a character that must be escaped in it")
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            raise ValueError("the URL is not one of http or https")
        scheme, authority, path, query, fragment = shape.groups(default="")
        scheme = scheme.lower()
        if scheme not in self.schemes:
            raise ValueError(f"URLs of the scheme {scheme} are not fetched")
        if "@" in authority:
            raise ValueError("the URL must not hold a user name or password")
        query = query if len(query) > 1 else ""
        if fragment:
            raise ValueError("the URL must not have a fragment (#…): servers never see it")
        parts = _AUTHORITY.fullmatch(authority)
        if parts is None:
            raise ValueError("the URL's host is not a name or address in its plain form")
        port = DEFAULT_PORT[scheme] if parts[2] is None else int(parts[2])
        if port not in self.ports:
            raise ValueError(f"nothing is fetched from port {port}")
        host = self._host(parts[1].lower())
        return MediaUrl(scheme, host, port, quote(path or "/", safe=_KEPT) + quote(query, safe=_KEPT + "?"))

    def follow(self, url: MediaUrl, location: str) -> MediaUrl:
        """Where a redirect leads. Raises ValueError: it may not be followed."""
        if len(location) > MAX_CHARS or _FORBIDDEN.search(location):
            raise ValueError("it holds what must not be in a URL")
        target = self.read(location if _ABSOLUTE.match(location) else urljoin(str(url), location))
        if (url.scheme, target.scheme) == ("https", "http"):
            raise ValueError("it leads from https to http")
        return target

    def _host(self, host: str) -> str:
        if host.startswith("["):
            host = host[1:-1]
            _check_address(host, IPv6Address)
        elif _NUMBER.fullmatch(host.rpartition(".")[2]):
            _check_address(host, IPv4Address)
        else:
            self._check_name(host)
        if self.hosts and not any(_matches(host, pattern) for pattern in self.hosts):
            raise ValueError("pictures are not fetched from this host")
        if _is_address(host) and self.addresses.refusal(ip_address(host)) is not None:
            raise ValueError("nothing is fetched from this address")
        return host

    def _check_name(self, host: str) -> None:
        labels = host.split(".")
        if len(host) > _MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
            raise ValueError("the URL's host is not a valid name")
        is_inside = len(labels) == 1 or labels[-1] in _INSIDE or ".".join(labels[-2:]) in _INSIDE_ARPA
        if is_inside and host not in self.hosts:
            raise ValueError("the URL's host is not a public name")


def _check_address(host: str, kind: type[IPv4Address | IPv6Address]) -> None:
    try:
        is_plain = str(kind(host)) == host
    except ValueError:
        is_plain = False
    if not is_plain:
        raise ValueError("the URL's host is not an address in its plain form")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
