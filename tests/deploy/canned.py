"""A router that answers as it was told to; the fixture `canned_router` lets it listen."""

from dataclasses import dataclass, field


@dataclass
class CannedRouter:
    """An HTTP server that gives one prepared answer to everything and keeps what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    declared_length: int | None = None  # None: the true one
    asked: list[tuple[str, str | None, bytes]] = field(default_factory=list)  # path, Authorization, body
