"""The head of a request, written once for each address and path: of one request to the next only its length differs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from yarl import URL

from router.upstream.connections import Origin


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Where a request goes, and how it begins."""

    origin: Origin
    names: frozenset[str]  # of the headers that are always there, in lower case
    before_length: bytes = field(repr=False)  # it may hold a key

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str], method: str = "POST") -> Self:
        """For a whole URL, without query. Raises ValueError: it has no host, or a header is no Latin-1."""
        parts = URL(url, encoded=True)
        if parts.raw_host is None or parts.port is None:
            raise ValueError(f"{url!r} has no host")
        lines = [f"{method} {parts.raw_path} HTTP/1.1", f"Host: {parts.host_port_subcomponent}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return cls(
            origin=Origin(parts.raw_host, parts.port, parts.scheme == "https"),
            names=frozenset(name.lower() for name in ("Host", "Content-Length", *headers)),
            before_length=("\r\n".join(lines) + "\r\nContent-Length: ").encode("latin-1"),
        )

    def write(self, length: int, more: Mapping[str, str]) -> bytes:
        """The whole head of a request with a body of `length` bytes. `more` headers do not replace those of `of`."""
        if not more:
            return b"%b%d\r\n\r\n" % (self.before_length, length)
        lines = "".join(f"{name}: {value}\r\n" for name, value in more.items() if name.lower() not in self.names)
        return b"%b%d\r\n%b\r\n" % (self.before_length, length, lines.encode("latin-1", "replace"))
