"""From which addresses pictures may be fetched."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.address import V4, V6, Addresses

PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 168.63.129.15 168.63.129.17
169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.88.98.255 192.167.255.255 198.17.255.255 198.20.0.0
223.255.255.255 11.0.0.0 9.255.255.255
2000::1 2001:200::1 2001:470::1 2001:db7::1 2001:db9::1 2003::1 2606:2800:220:1:248:1893:25c8:1946 2a00:1450::1
3fff:1000::1 3ffd::1
""".split()

NOT_PUBLIC = {
    "this network": "0.0.0.0 0.1.2.3",
    "private": "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255",
    "carrier-grade NAT": "100.64.0.0 100.100.100.200 100.127.255.255",
    "loopback": "127.0.0.1 127.255.255.254 ::1",
    "metadata": "168.63.129.16 fd00:ec2::254 fd20:ce::254",
    "link-local": "169.254.169.254 169.254.170.2 169.254.0.0 fe80::1 febf::1",
    "protocol assignments": "192.0.0.1 192.0.0.170 192.0.0.192 2001:1::1 2001:3::1 2001:1ff::1",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.255 2001:db8::1 3fff::1",
    "AS112": "192.31.196.1 192.175.48.1 2620:4f:8000::1",
    "AMT": "192.52.193.1",
    "6to4 relays": "192.88.99.1",
    "benchmarking": "198.18.0.1 198.19.255.255 2001:2::1",
    "multicast": "224.0.0.1 239.255.255.255 ff02::1 ff0e::1",
    "reserved": "240.0.0.1 255.255.255.254",
    "broadcast": "255.255.255.255",
    "unspecified": "::",
    "IPv4-mapped": "::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254",
    "IPv4-translated": "::ffff:0:127.0.0.1",
    "IPv4-compatible": "::127.0.0.1 ::8.8.8.8 ::2",
    "NAT64": "64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::10.0.0.1 64:ff9b:1:ffff::1",
    "discard-only": "100::1",
    "dummy prefix": "100:0:0:1::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2 2001::1",
    "ORCHID": "2001:10::1 2001:1f::1 2001:20::1 2001:2f::1",
    "drone identities": "2001:30::1",
    "6to4": "2002:7f00:1:: 2002:7f00:1::1 2002:a9fe:a9fe:: 2002:808:808::1",
    "6bone": "3ffe::1",
    "SRv6": "5f00::1",
    "unique local": "fc00::1 fd12:3456::1 fdff::1",
    "site-local": "fec0::1 feff::1",
    "ISATAP": "2001:470::5efe:7f00:1 2606:2800::200:5efe:a00:1",
    "not global unicast": "64:ff9c::1 200::1 4000::1 1fff::1 5f01::1 fe00::1 100:0:0:2::1 ::1:0:0:0:1",
}


def test_public_addresses_are_fetched_from() -> None:
    assert {} == {
        address: refusal for address in PUBLIC if (refusal := Addresses().refusal(ip_address(address))) is not None
    }


@pytest.mark.parametrize(("name", "addresses"), NOT_PUBLIC.items(), ids=NOT_PUBLIC)
def test_other_addresses_are_refused_by_their_name(name: str, addresses: str) -> None:
    assert dict.fromkeys(addresses.split(), name) == {
        address: Addresses().refusal(ip_address(address)) for address in addresses.split()
    }


def test_every_range_of_the_table_is_in_this_test() -> None:
    assert {*V4.values(), *V6.values(), "ISATAP", "not global unicast"} == set(NOT_PUBLIC)


@pytest.mark.parametrize("network", [*V4, *V6], ids=str)
def test_a_range_is_refused_to_its_ends(network: IPv4Network) -> None:
    assert all(Addresses().refusal(network[at]) for at in (0, -1))


def test_a_zone_is_refused_even_where_the_address_is_allowed() -> None:
    addresses = Addresses(allow=(ip_network("fe80::/10"), ip_network("2000::/3")))
    assert None is addresses.refusal(IPv6Address("fe80::1"))
    assert "zone" == addresses.refusal(IPv6Address("fe80::1%eth0"))
    assert "zone" == addresses.refusal(IPv6Address("2606:2800::1%1"))


def test_exceptions_go_before_the_table_and_denials_before_exceptions() -> None:
    addresses = Addresses(
        allow=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        deny=(ip_network("93.184.216.0/24"), ip_network("127.0.0.2/32"), ip_network("2606:2800::/32")),
    )
    assert {
        "127.0.0.1": None,
        "::1": None,
        "127.0.0.2": "denied",
        "::ffff:127.0.0.1": "IPv4-mapped",
        "10.0.0.1": "private",
        "93.184.216.34": "denied",
        "2606:2800::1": "denied",
        "8.8.8.8": None,
    } == {
        address: addresses.refusal(ip_address(address))
        for address in ("127.0.0.1 ::1 127.0.0.2 ::ffff:127.0.0.1 10.0.0.1 93.184.216.34 2606:2800::1 8.8.8.8".split())
    }


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_python_knows_as_not_global_is_refused_too(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert Addresses().refusal(address)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:0:0"]))
def test_no_address_hides_in_the_end_of_another(inner: int, prefix: str) -> None:
    assert Addresses().refusal(IPv6Address(int(IPv6Address(prefix)) + inner))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**80 - 1))
def test_no_address_hides_in_a_6to4_one(inner: int, rest: int) -> None:
    assert "6to4" == Addresses().refusal(IPv6Address((0x2002 << 112) + (inner << 80) + rest))
