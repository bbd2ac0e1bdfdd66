"""May a picture be fetched from this IP address? Only from one that belongs to a single machine of the open internet.

The table is written out instead of asking `ipaddress.is_global`, whose answer changed between versions of Python, and
which takes addresses that carry another one within them (6to4, NAT64) for public: a gateway on the way would take the
inner address out and deliver to it. For IPv6 the rule is the other way round than for IPv4, as the address space is:
nothing but 2000::/3 is given out to anybody, so all else is refused without being named. Names are there for the log;
no caller is told which range an address fell into.

Sources: IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890), and the addresses at which clouds
give their machines credentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

V4: Mapping[IPv4Network, str] = MappingProxyType(
    {
        IPv4Network(network): name
        for network, name in {
            "0.0.0.0/8": "this network",  # Linux takes 0.0.0.0 for itself
            "10.0.0.0/8": "private",
            "100.64.0.0/10": "carrier-grade NAT",  # with Alibaba's metadata at 100.100.100.200
            "127.0.0.0/8": "loopback",
            "168.63.129.16/32": "metadata",  # Azure's wire server, within a public range
            "169.254.0.0/16": "link-local",  # with nearly everybody's metadata at 169.254.169.254
            "172.16.0.0/12": "private",
            "192.0.0.0/24": "protocol assignments",  # with Oracle's metadata at 192.0.0.192
            "192.0.2.0/24": "documentation",
            "192.31.196.0/24": "AS112",
            "192.52.193.0/24": "AMT",
            "192.88.99.0/24": "6to4 relays",
            "192.168.0.0/16": "private",
            "192.175.48.0/24": "AS112",
            "198.18.0.0/15": "benchmarking",
            "198.51.100.0/24": "documentation",
            "203.0.113.0/24": "documentation",
            "224.0.0.0/4": "multicast",
            "255.255.255.255/32": "broadcast",
            "240.0.0.0/4": "reserved",
        }.items()
    }
)
V6: Mapping[IPv6Network, str] = MappingProxyType(
    {
        IPv6Network(network): name
        for network, name in {
            "::/128": "unspecified",
            "::1/128": "loopback",
            "::ffff:0:0/96": "IPv4-mapped",  # a socket of IPv6 reaches the IPv4 address within
            "::ffff:0:0:0/96": "IPv4-translated",
            "::/96": "IPv4-compatible",
            "64:ff9b::/96": "NAT64",  # the gateway delivers to the IPv4 address within
            "64:ff9b:1::/48": "NAT64",
            "100::/64": "discard-only",
            "100:0:0:1::/64": "dummy prefix",
            "2001::/32": "Teredo",
            "2001:2::/48": "benchmarking",
            "2001:10::/28": "ORCHID",
            "2001:20::/28": "ORCHID",
            "2001:30::/28": "drone identities",
            "2001::/23": "protocol assignments",
            "2001:db8::/32": "documentation",
            "2002::/16": "6to4",  # a relay delivers to the IPv4 address within
            "2620:4f:8000::/48": "AS112",
            "3ffe::/16": "6bone",
            "3fff::/20": "documentation",
            "5f00::/16": "SRv6",
            "fd00:ec2::/32": "metadata",  # Amazon's, at fd00:ec2::254
            "fd20:ce::254/128": "metadata",  # Google's
            "fc00::/7": "unique local",
            "fe80::/10": "link-local",
            "fec0::/10": "site-local",
            "ff00::/8": "multicast",
        }.items()
    }
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# ISATAP: an interface identifier of 0000:5efe or 0200:5efe and an IPv4 address, to which a tunnel would deliver
_ISATAP = 0x0000_5EFE
_ISATAP_MASK = 0xFDFF_FFFF


@dataclass(frozen=True, slots=True)
class Addresses:
    """Exceptions from the table.

    Attributes:
        allow: may be fetched from whatever the table says.
        deny: may not, like the operator's own public networks; goes before `allow`.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    def refusal(self, address: Address) -> str | None:
        """Why nothing may be fetched from there, in a word or two; None if it may."""
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return "zone"
        if _within(address, self.deny):
            return "denied"
        if _within(address, self.allow):
            return None
        return _v4(address) if isinstance(address, IPv4Address) else _v6(address)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)  # of the other version: never within


def _v4(address: IPv4Address) -> str | None:
    return next((name for network, name in V4.items() if address in network), None)


def _v6(address: IPv6Address) -> str | None:
    named = next((name for network, name in V6.items() if address in network), None)
    if named is not None:
        return named
    if address not in _GLOBAL_UNICAST:
        return "not global unicast"
    return "ISATAP" if int(address) >> 32 & _ISATAP_MASK == _ISATAP else None
