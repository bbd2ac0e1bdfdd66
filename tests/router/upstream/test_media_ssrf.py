"""Nobody gets the media fetcher to connect to where it must not: URLs, names, redirects, name servers that lie.

A canary listens on 127.0.0.1 and ::1 and would answer with a good picture. The settings allow both schemes and its
port, so that nothing but the rules on hosts and addresses keeps anybody from it. No row may reach it, nor have a socket
connect to any address but the public one that the row names; and all are refused with the field that held the URL.
"""

import asyncio

import pytest

from tests.router.upstream.media_world import (
    FIELD,
    NAME,
    PUBLIC,
    PUBLIC_V6,
    Canary,
    Site,
    World,
    fetching,
    redirect,
    refused,
    settings,
    wanted,
)

# Hosts of URLs; the canary's port follows
HOSTS = """
127.0.0.1 127.0.0.2 127.1 127.0.1 127.0.0.01 127.000.000.001 0177.0.0.1 0177.1 017700000001 0x7f.1 0x7f.0.0.1 0x7F000001
2130706433 02130706433 0x7f.0x0.0x0.0x1 127.0.0.0x1 6425673729 0 0.0 0.0.0.0 00000000 127.0.0.1. 2130706433.
localhost LOCALHOST localhost. localhost.localdomain a.localhost loopback metadata metadata.google.internal
instance-data kubernetes.default.svc kubernetes.default.svc.cluster.local router.home.arpa printer.local db.corp
169.254.169.254 169.254.170.2 0xa9fea9fe 2852039166 0251.0376.0251.0376 100.100.100.200 168.63.129.16 192.0.0.192
10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 198.18.0.1 192.0.2.1 224.0.0.1 240.0.0.1 255.255.255.255
192.88.99.1
[::1] [::] [0:0:0:0:0:0:0:1] [0000::0001] [::0:1] [::ffff:127.0.0.1] [::FFFF:7f00:1] [::ffff:7f00:1] [::127.0.0.1]
[::7f00:1] [::ffff:0:7f00:1] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::]
[2002:7f00:1::1] [2002:a9fe:a9fe::1] [2001::1] [2001:0:7f00:1:0:0:80ff:fffe] [2001:470::5efe:7f00:1] [fe80::1]
[fe80::1%25lo] [fe80::1%lo] [::1%25lo] [::1%1] [fec0::1] [fc00::1] [fd00:ec2::254] [fd20:ce::254] [ff02::1] [100::1]
[2001:db8::1] [2001:2::1] [2001:10::1] [2001:20::1] [3fff::1] [5f00::1] [4000::1] [v1.127]
１２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ locaⅼhost lo%63alhost %31%32%37.0.0.1
127.0.0.1%00.pictures.example pictures.example@127.0.0.1 127.0.0.1@pictures.example user:password@127.0.0.1
""".split()

# Whole URLs, with {port} for the canary's
URLS = [
    "http://127.0.0.1:{port}\\@pictures.example/a.png",
    "http://pictures.example\\@127.0.0.1:{port}/a.png",
    "http://pictures.example#@127.0.0.1:{port}/a.png",
    "http://127.0.0.1:{port}#@pictures.example/a.png",
    "http://127.0.0.1:{port}#.pictures.example/a.png",
    "http://pictures.example:80@127.0.0.1:{port}/",
    "http://pictures.example&@127.0.0.1:{port}/",
    "http://127.0.0.1:{port} @pictures.example/",
    "http://127.0.0.1:{port}\t/",
    "http://127.0.0.1:{port}\r\nHost: pictures.example/",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "https://[::1]:{port}/",
    "https://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "file:///etc/passwd",
    "file://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/a.png",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/x",
    "ws://127.0.0.1:{port}/",
    "jar:http://127.0.0.1:{port}!/",
    "url:http://127.0.0.1:{port}/",
    "javascript://127.0.0.1:{port}/",
    "http://pictures.example:22/",
    "http://pictures.example:6379/",
    "http://pictures.example:080/",
]

# What the name server says, again and again
ANSWERS = {
    "loopback": ["127.0.0.1"],
    "loopback of IPv6": ["::1"],
    "all of this host": ["0.0.0.0"],
    "mapped": ["::ffff:127.0.0.1"],
    "compatible": ["::7f00:1"],
    "translated by NAT64": ["64:ff9b::7f00:1"],
    "6to4": ["2002:7f00:1::1"],
    "a cloud's metadata": ["169.254.169.254"],
    "a cloud's metadata over IPv6": ["fd00:ec2::254"],
    "a cloud's metadata in a public range": ["168.63.129.16"],
    "private": ["10.0.0.1"],
    "public, then loopback": [PUBLIC, "127.0.0.1"],
    "loopback, then public": ["127.0.0.1", PUBLIC],
    "public, and loopback of IPv6": [PUBLIC, "::1"],
    "public of IPv6, and private": [PUBLIC_V6, "192.168.1.1"],
    "many public ones and one that is not": [*(f"93.184.216.{at}" for at in range(1, 50)), "10.1.1.1"],
    "a zone": ["fe80::1%1"],
    "a zone on a public one": [f"{PUBLIC_V6}%1"],
    "no address": ["localhost"],
    "a number": ["2130706433"],
    "nothing": [],
}


async def is_safe(world: World, url: str, canary: Canary, *, may_dial: tuple[str, ...] = ()) -> str:
    """Ask for a URL that must not lead anywhere; what the caller is told."""
    async with fetching(world, settings([canary.port])) as fetcher:
        error = await refused(fetcher, url)
    assert (400, FIELD) == (error.status, error.field)
    assert "127.0.0.1" not in error.message
    assert (0, may_dial) == (canary.hits, tuple(world.dialled))
    return error.message


@pytest.mark.parametrize("host", HOSTS)
def test_no_host_in_a_url_leads_inside(host: str) -> None:
    async def main() -> None:
        world = World()
        async with Canary() as canary:
            world.names |= {
                name: [["127.0.0.1"]]  # should any of them ever be asked for
                for name in ("localhost", "loopback", "metadata", "0", "127.1", "2130706433", "db.corp", "0x7f.1")
            }
            await is_safe(world, f"http://{host}:{canary.port}/a.png", canary)
            assert [] == world.asked  # nothing of the kind is even looked up

    asyncio.run(main())


@pytest.mark.parametrize("url", URLS)
def test_no_way_to_write_a_url_leads_inside(url: str) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [["127.0.0.1"]]}
        async with Canary() as canary:
            await is_safe(world, url.format(port=canary.port), canary)

    asyncio.run(main())


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_answer_of_a_name_server_leads_inside(answer: list[str]) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [answer]}
        async with Canary() as canary:
            told = await is_safe(world, f"http://{NAME}:{canary.port}/a.png", canary)
            assert told == await is_safe(
                World(), f"http://{NAME}:{canary.port}/a.png", canary
            )  # as if it did not exist

    asyncio.run(main())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("hops", [0, 1, 2])
def test_no_status_and_no_hop_redirects_inside(status: int, hops: int) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC]]}
        async with Canary() as canary, Site() as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            site.pages = {f"/{at}": redirect(f"/{at + 1}", status) for at in range(hops)}
            site.pages[f"/{hops}"] = redirect(f"http://127.0.0.1:{canary.port}/latest/meta-data/", status)
            await is_safe(world, f"http://{NAME}/0", canary, may_dial=(PUBLIC,) * (hops + 1))

    asyncio.run(main())


@pytest.mark.parametrize("host", [host for host in HOSTS if host.isascii()])
def test_no_redirect_leads_inside(host: str) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC]]}
        async with Canary() as canary, Site() as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            site.pages = {"/": redirect(f"//{host}:{canary.port}/a.png")}
            await is_safe(world, f"http://{NAME}/", canary, may_dial=(PUBLIC,))

    asyncio.run(main())


@pytest.mark.parametrize("url", [url for url in URLS if url.strip() == url and "\r" not in url])
def test_no_way_to_write_a_redirect_leads_inside(url: str) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC]]}
        async with Canary() as canary, Site() as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            site.pages = {"/": redirect(url.format(port=canary.port))}
            await is_safe(world, f"http://{NAME}/", canary, may_dial=(PUBLIC,))

    asyncio.run(main())


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_redirect_to_a_name_leads_inside(answer: list[str]) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC]], "inside.example": [answer]}
        async with Canary() as canary, Site() as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            site.pages = {"/": redirect(f"http://inside.example:{canary.port}/")}
            await is_safe(world, f"http://{NAME}/", canary, may_dial=(PUBLIC,))

    asyncio.run(main())


def test_a_name_that_leads_elsewhere_a_moment_later_is_resolved_once_per_connection() -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC], ["127.0.0.1"]]}
        async with Canary() as canary, Site() as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            url = f"http://{NAME}:{canary.port}/a.png"
            async with fetching(world, settings([canary.port], cache_bytes=0)) as fetcher:
                assert [url] == [*await fetcher.fetch(wanted(url))]
                assert ([NAME], [PUBLIC]) == (world.asked, world.dialled)
                await refused(fetcher, url)
            assert ([NAME, NAME], [PUBLIC]) == (world.asked, world.dialled)
            assert (0, 1) == (canary.hits, len(site.requests))

    asyncio.run(main())


def test_a_name_that_leads_elsewhere_after_a_redirect_to_itself_is_checked_again() -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC], ["127.0.0.1"]]}
        async with Canary() as canary, Site({"/": redirect("/b")}) as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            await is_safe(world, f"http://{NAME}:{canary.port}/", canary, may_dial=(PUBLIC,))

    asyncio.run(main())


def test_a_peer_that_is_not_whom_was_connected_to_gets_no_request() -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC]]}
        async with Site() as site:
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            world.hides_peers = False
            async with fetching(world) as fetcher:
                await refused(fetcher, f"http://{NAME}/")
            await site.all_closed()
            assert (1, []) == (site.accepted, site.requests)

    asyncio.run(main())


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        world = World()
        world.names = {NAME: [[PUBLIC]]}
        async with Canary() as canary, Site() as site:
            for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
            world.hosts = {PUBLIC: ("127.0.0.1", site.port)}
            async with fetching(world) as fetcher:
                await fetcher.fetch(wanted(f"http://{NAME}/a.png"))
            assert (0, [PUBLIC]) == (canary.hits, world.dialled)

    asyncio.run(main())


def test_the_canary_can_be_reached_when_it_is_allowed() -> None:
    """Or the tests above would prove nothing."""

    async def main() -> None:
        world = World()
        world.names = {NAME: [["127.0.0.1"]]}
        async with Canary() as canary, Site() as site:
            allowed = settings([canary.port, site.port], allow_addresses=("127.0.0.0/8", "::1/128"))
            site.pages = {"/": redirect(f"http://127.0.0.1:{canary.port}/c.png")}
            async with fetching(world, allowed) as fetcher:
                for url in ("127.0.0.1:{0}/a", "[::1]:{0}/b", f"{NAME}:{{0}}/c", "127.0.0.1:{1}/"):
                    await fetcher.fetch(wanted("http://" + url.format(canary.port, site.port)))
            assert 4 == canary.hits

    asyncio.run(main())
