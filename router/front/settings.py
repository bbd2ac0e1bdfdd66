"""How long and how large what a client sends may be before anybody has said who he is.

The defaults are for a router that faces the internet. None of them is felt by a client that sends what it has to send.
"""

from dataclasses import dataclass

MOST_CONNECTIONS = 20_000  # what one process serves well; more routers serve more
SMALLEST_HEAD = 1024


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    head_bytes: int = 32_768  # request line and headers: Envoy's hardening guide; a token of an identity provider has 4
    headers: int = 100  # in one request: Envoy's; browsers send twenty, chains of proxies thirty
    path_bytes: int = 2_048  # of a request's path: the longest route with the longest slug has 400
    first_byte_s: float = 10.0  # from connecting to the first byte of a request: a client connects because it has one
    head_s: float = 10.0  # from a request's first byte to the end of its headers: they fit in a few packets
    body_gap_s: float = 30.0  # without a byte of the body: a phone that changes its network is back by then
    # average that a body must come at, in bytes/s, so that a byte every 29 s is not enough: 1/50 of a slow uplink
    body_bytes_per_s: int = 1_024
    body_grace_s: float = 10.0  # before the average counts: the first seconds of a connection are slow
    # connections in all; null: what RLIMIT_NOFILE allows less a quarter for engines and files, at most 20,000
    connections: int | None = None
    # connections of one address; null: no limit, because behind a load balancer everybody has the same one
    connections_per_address: int | None = None
    # bytes of an answer held for a client that does not read; then the engine's stream is read no further
    write_buffer_bytes: int = 131_072
    # without a byte leaving that buffer before the client is cut off: the network is gone, or nobody reads
    write_gap_s: float = 30.0
    chunk_overhead_bytes: int = 16_384  # of chunk sizes and extensions beyond what is due to the data: Go's net/http

    def __post_init__(self) -> None:
        for name in ("first_byte_s", "head_s", "body_gap_s", "write_gap_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if not self.body_grace_s >= 0:
            raise ValueError(f"body_grace_s must be at least 0 seconds, got {self.body_grace_s}")
        if self.head_bytes < SMALLEST_HEAD:
            raise ValueError(f"head_bytes must be at least {SMALLEST_HEAD}, got {self.head_bytes}")
        for name in ("headers", "path_bytes", "write_buffer_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("body_bytes_per_s", "chunk_overhead_bytes"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("connections", "connections_per_address"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise ValueError(f"{name} must be at least 1 or null, got {limit}")


def most_connections(open_files: int) -> int:
    """How many connections a process may hold that may open so many files.

    A quarter, but at least 64, is kept for engines, the database and files: a process without a descriptor left can
    neither ask an engine nor write its ledger.
    """
    return max(1, min(MOST_CONNECTIONS, open_files - max(64, open_files // 4)))
