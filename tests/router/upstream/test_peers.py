"""Where other routers are, when names come, go and fail."""

import logging
import socket
from collections.abc import Sequence

import pytest

from router.upstream.peers import Address, Peers, host_and_port, readable, resolve
from tests.router.upstream.support import Run


class Names:
    """A name server."""

    def __init__(self, **found: list[Address] | OSError) -> None:
        self.found = found
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> Sequence[Address]:
        self.asked.append((host, port))
        answer = self.found[host]
        if isinstance(answer, OSError):
            raise answer
        return answer


UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_every_address_of_every_name_counts_once(run: Run) -> None:
    async def main() -> None:
        names = Names(a=[("10.0.0.2", 1), ("10.0.0.1", 1)], b=[("10.0.0.1", 1)])
        peers = Peers([("a", 1), ("b", 1)], resolve=names, most=9)
        assert () == peers.addresses
        await peers.refresh(socket.AF_INET)
        assert (("10.0.0.1", 1), ("10.0.0.2", 1)) == peers.addresses
        assert [("a", 1), ("b", 1)] == names.asked

    run(main())


def test_the_names_are_asked_anew(run: Run) -> None:
    async def main() -> None:
        names = Names(a=[("10.0.0.1", 1)])
        peers = Peers([("a", 1)], resolve=names, most=9)
        await peers.refresh(socket.AF_INET)
        names.found["a"] = [("10.0.0.7", 1)]
        await peers.refresh(socket.AF_INET)
        assert (("10.0.0.7", 1),) == peers.addresses
        names.found["a"] = []
        await peers.refresh(socket.AF_INET)
        assert () == peers.addresses

    run(main())


def test_a_name_that_cannot_be_resolved_keeps_its_addresses_and_is_logged_once(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        names = Names(a=[("10.0.0.1", 1)], b=[("10.0.0.2", 1)])
        peers = Peers([("a", 1), ("b", 1)], resolve=names, most=9)
        await peers.refresh(socket.AF_INET)
        names.found.update(a=UNKNOWN, b=[("10.0.0.3", 1)])
        for _ in range(3):
            await peers.refresh(socket.AF_INET)
        assert (("10.0.0.1", 1), ("10.0.0.3", 1)) == peers.addresses
        names.found["a"] = [("10.0.0.4", 1)]
        await peers.refresh(socket.AF_INET)

    caplog.set_level(logging.INFO)
    run(main())
    assert [
        "routers are looked for at: 10.0.0.1:1, 10.0.0.2:1",
        "no address for router a:1: [Errno -2] Name or service not known; keeping those last known",
        "routers are looked for at: 10.0.0.1:1, 10.0.0.3:1",
        "router a:1 has an address again",
        "routers are looked for at: 10.0.0.3:1, 10.0.0.4:1",
    ] == [record.getMessage() for record in caplog.records if record.name.startswith("router.")]


def test_no_more_addresses_are_kept_than_may_be(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        peers = Peers([("a", 1)], resolve=Names(a=[(f"10.0.0.{n}", 1) for n in (3, 1, 2)]), most=2)
        for _ in range(2):
            await peers.refresh(socket.AF_INET)
        assert (("10.0.0.1", 1), ("10.0.0.2", 1)) == peers.addresses

    run(main())
    (record,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "3 addresses of routers are too many: only 2 are told" == record.getMessage()


def test_addresses_of_ipv4_are_found_for_either_kind_of_socket(run: Run) -> None:
    async def main() -> None:
        assert [("127.0.0.1", 8082)] == await resolve("127.0.0.1", 8082, socket.AF_INET)
        assert [("::ffff:127.0.0.1", 8082, 0, 0)] == await resolve("127.0.0.1", 8082, socket.AF_INET6)
        with pytest.raises(OSError, match=r"Name or service|Temporary failure|not known|No address"):
            await resolve("no-such-router.invalid", 8082, socket.AF_INET)

    run(main())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("router-1:8082", ("router-1", 8082)), ("[::1]:0", ("::1", 0)), ("10.0.0.1:65535", ("10.0.0.1", 65535))],
)
def test_host_and_port_are_read(text: str, expected: tuple[str, int]) -> None:
    assert expected == host_and_port(text)


@pytest.mark.parametrize(
    "text", ["", "router", "router:", ":8082", "router:x", "router:70000", "a@b:1", "b:1/c", "::1"]
)
def test_what_is_not_host_and_port_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        host_and_port(text)


def test_addresses_are_written_as_people_do() -> None:
    assert "10.0.0.1:5" == readable(("10.0.0.1", 5))
    assert "[::1]:5" == readable(("::1", 5, 0, 0))
