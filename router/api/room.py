"""How many requests a router has in it at a time, and how many bytes of their bodies: bounded, whoever sends them.

A body is kept until its request is over, because another attempt may need it. A thousand waiting requests with
pictures would be gigabytes, so bytes count besides requests.
"""

from dataclasses import dataclass

from router.protocol.errors import ApiError

_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """Bounds over all requests of one router process."""

    requests: int = 4_096  # at the same time; a stream costs some 30 KB of memory besides its body
    body_bytes: int = 1_073_741_824  # 1 GiB of bodies: what a router with 2 GB can spare


class Room:
    """One per router. Its `settings` may be replaced by others, which then count for whoever comes."""

    def __init__(self, settings: RoomSettings) -> None:
        self.settings = settings
        self.requests = 0
        self.bytes = 0

    def enter(self) -> "Place":
        """A place for one more request, which must leave it. Raises ApiError 503."""
        if self.requests >= self.settings.requests:
            raise _full("requests", f"{self.settings.requests} requests (room.requests)")
        self.requests += 1
        return Place(self)

    def take(self, count: int) -> None:
        """Room for `count` more bytes. Raises ApiError 503."""
        if self.bytes + count > self.settings.body_bytes:
            raise _full("body_bytes", f"{self.settings.body_bytes} bytes of request bodies (room.body_bytes)")
        self.bytes += count


class Place:
    """One request's."""

    __slots__ = ("_bytes", "_room")

    def __init__(self, room: Room) -> None:
        self._room: Room | None = room
        self._bytes = 0

    def take(self, count: int) -> None:
        """Of the room's bytes; given back on leaving. Raises ApiError 503."""
        assert self._room is not None
        self._room.take(count)
        self._bytes += count

    def leave(self) -> None:
        """Give everything back. Further calls do nothing."""
        room, self._room = self._room, None
        if room is not None:
            room.requests -= 1
            room.bytes -= self._bytes


def _full(limit: str, what: str) -> ApiError:
    return ApiError(
        "provider_overloaded",
        f"The router is full: it holds {what} already. Please try again shortly.",
        metadata={"reason": "router_full", "limit": limit},
        limit=f"room_{limit}",
        retry_after_s=_RETRY_AFTER_S,
    )
