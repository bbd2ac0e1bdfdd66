"""Whether and from where the router fetches the pictures that requests only name."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from router.protocol.address import Addresses
from router.protocol.media_url import UrlRules


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    enabled: bool = False  # off: images come as data URLs alone, and the router never connects to where a caller says
    schemes: tuple[Literal["https", "http"], ...] = ("https",)  # http: whoever is on the way can change the picture
    ports: tuple[int, ...] = (443, 80)  # where web servers are; other ports would make the router a port scanner
    hosts: tuple[str, ...] = ()  # names (`*.example.com`: all below it); none: every public host
    # Networks from which is fetched although they are not public. DANGEROUS: every caller reaches all that listens
    # there on one of `ports`, as if he sat where the router does. For tests, and for an object store within.
    allow_addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    deny_addresses: tuple[IPv4Network | IPv6Network, ...] = ()  # never; one's own public networks, one's NAT64 prefix
    connect_s: float = 3.0  # seconds for name, connection and TLS; what is near enough to be fetched takes under 1
    total_s: float = 10.0  # seconds for all of one picture, redirects and waiting included, however slowly it drips
    redirects: int = 3  # followed at most; a link shortener and a content network make two
    fetches: int = 32  # at the same time, in all
    fetches_per_host: int = 8  # so that one slow host does not hold all of them, and is not flooded
    wait_s: float = 5.0  # seconds to wait for a place among these; then 503
    fetches_per_request: int = 4  # so that one request does not
    receiving_bytes: int = 268_435_456  # 256 MiB of pictures that are just arriving; more is refused with 503
    cache_bytes: int = 67_108_864  # 64 MiB of pictures kept as base64, the least recently used dropped; 0: none
    cache_ttl_s: float = 300.0  # seconds a picture counts as what its URL shows: turns of a conversation send it again
    cache_urls: int = 10_000  # that are remembered; URLs of the same picture share its bytes

    def __post_init__(self) -> None:
        for name in ("schemes", "ports"):
            if not getattr(self, name):
                raise ValueError(f"{name} must hold at least one")
        if not all(0 < port < 65_536 for port in self.ports):
            raise ValueError(f"ports must be from 1 to 65535, got {self.ports}")
        for name in ("connect_s", "total_s", "wait_s", "cache_ttl_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        least = {"fetches": 1, "fetches_per_host": 1, "fetches_per_request": 1, "receiving_bytes": 1}
        for name, bound in {**least, "redirects": 0, "cache_bytes": 0, "cache_urls": 1}.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        self.url_rules()

    def url_rules(self) -> UrlRules:
        """The part that is about URLs. Raises ValueError: `hosts` holds what is no name."""
        addresses = Addresses(allow=self.allow_addresses, deny=self.deny_addresses)
        return UrlRules(schemes=self.schemes, ports=self.ports, hosts=self.hosts, addresses=addresses)
