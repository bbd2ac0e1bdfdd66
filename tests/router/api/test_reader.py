"""Reading requests: the filters of a key, and where its parser runs."""

import asyncio
import json
import threading
from typing import Any

import pytest

from router.api.reader import Reader, Route, filters_of
from router.api.room import Room, RoomSettings
from router.policy.call import Caller
from router.policy.key import Key
from router.policy.length import Lengths
from router.policy.schema_quota import SchemaQuota, SchemaQuotaSettings
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.protocol.plugins.builtin_filters import AnyFilter, BuiltinFilter
from router.protocol.plugins.content_filter import ContentFilter
from router.protocol.plugins.guardrail_filters import to_text
from router.protocol.request import Request, no_context, parse_chat

LONG = "word " * 4_000


def held_by(*filters: AnyFilter) -> Key:
    return Key("k", "k", filters=tuple(map(to_text, filters)))


async def nothing(unfetched: Unfetched) -> Fetched:
    raise AssertionError


def reading(key: Key, text: str) -> tuple[Request, threading.Thread]:
    """The request, and the thread that its parser ran in."""
    threads: list[threading.Thread] = []

    def parse(*args: Any, **kwargs: Any) -> Request:
        threads.append(threading.current_thread())
        return parse_chat(*args, **kwargs)

    async def read() -> Request:
        reader = Reader(
            limits=Limits(),
            lengths=Lengths(),
            seeds={},
            context_of=no_context,
            schemas=SchemaQuota(SchemaQuotaSettings()),
            fetch=nothing,
            presets=None,
            keeps_source=False,
            clock=lambda: 0.0,
        )
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
        place = Room(RoomSettings()).enter()
        try:
            return (await reader.read(Route(parse), body, key, Caller(key.id), place)).request
        finally:
            place.leave()

    return asyncio.run(read()), threads[0]


@pytest.mark.parametrize(
    ("key", "text", "is_apart"),
    [
        (held_by(), LONG, False),
        (held_by(BuiltinFilter("email")), "short", False),
        (held_by(BuiltinFilter("email")), LONG, True),
        (held_by(ContentFilter("x" * 4_000)), "short", True),
    ],
)
def test_what_takes_long_to_look_through_does_not_hold_up_others(key: Key, text: str, is_apart: bool) -> None:
    _, thread = reading(key, text)
    assert is_apart == (thread is not threading.main_thread())


@pytest.mark.parametrize("text", ["to a@b.example", LONG + "a@b.example"])
def test_what_a_key_may_not_say_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="Request blocked"):
        reading(held_by(BuiltinFilter("email")), text)


def test_the_filters_of_a_key_are_read_once() -> None:
    texts = held_by(ContentFilter("a", label="[A]", guardrail="g"), BuiltinFilter("email")).filters
    assert (ContentFilter("a", label="[A]", guardrail="g"), BuiltinFilter("email")) == filters_of(texts).all
    assert filters_of(texts) is filters_of(tuple(texts))
