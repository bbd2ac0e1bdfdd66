"""How many requests and bytes fit into a router."""

import pytest

from router.api.room import Room, RoomSettings
from router.protocol.errors import ApiError


def test_requests_beyond_the_bound_are_turned_away_until_one_leaves() -> None:
    room = Room(RoomSettings(requests=1))
    place = room.enter()
    with pytest.raises(ApiError) as caught:
        room.enter()
    assert (503, "requests") == (caught.value.status, caught.value.metadata["limit"])
    place.leave()
    room.enter().leave()
    assert 0 == room.requests


def test_bytes_are_bounded_over_all_requests_and_given_back() -> None:
    room = Room(RoomSettings(body_bytes=10))
    one, other = room.enter(), room.enter()
    one.take(6)
    with pytest.raises(ApiError) as caught:
        other.take(5)
    assert (503, "body_bytes") == (caught.value.status, caught.value.metadata["limit"])
    other.take(4)
    one.leave()
    one.leave()
    assert (1, 4) == (room.requests, room.bytes)
    other.leave()
    assert (0, 0) == (room.requests, room.bytes)
