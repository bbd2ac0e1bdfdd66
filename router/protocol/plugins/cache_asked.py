"""What a caller asks of the response cache in headers, and the name that an answer is kept by."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Self

import msgspec

DEFAULT_TTL_S = 300  # OpenRouter's, like the bounds
_LEAST_TTL_S, _MOST_TTL_S = 1, 86_400
_NUMBER = re.compile(rb"\s*(-?[0-9]{1,9})")  # what follows is dropped: `60abc` is 60, `1.5` is 1


@dataclass(frozen=True, slots=True)
class CacheAsked:
    """Of one request."""

    is_wanted: bool | None = None  # None: not said, so a preset may decide
    ttl_s: int = DEFAULT_TTL_S
    clears: bool = False  # what is kept of this very request is to be dropped first

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> Self:
        """Read the headers, whose names are in lower case. Nothing in them is an error."""
        is_wanted: bool | None = None
        ttl_s, clears = DEFAULT_TTL_S, False
        for name, value in headers:
            match name:
                case b"x-openrouter-cache":
                    is_wanted = _truth(value)
                case b"x-openrouter-cache-ttl":
                    ttl_s = _ttl(value)
                case b"x-openrouter-cache-clear":
                    clears = _truth(value) is True
        return cls(is_wanted, ttl_s, clears)

    def within(self, config: Mapping[str, msgspec.Raw]) -> Self:
        """With what a preset says: its `no` counts, and its `yes` where the caller said nothing."""
        enabled, ttl = config.get("cache_enabled"), config.get("cache_ttl_seconds")
        says = None if enabled is None else {b"true": True, b"false": False}.get(bytes(enabled))
        is_wanted = self.is_wanted if says is None or (says and self.is_wanted is not None) else says
        return replace(self, is_wanted=is_wanted, ttl_s=self.ttl_s if ttl is None else _ttl(bytes(ttl)))


def cache_key(account: str, path: str, model: str, *, stream: bool, body: bytes) -> bytes | None:
    """The name of an answer: equal for requests that differ in nothing but white space. None: the body is no JSON.

    Args:
        account: the API key's id: nobody gets another's answers.
        path: of the route.
        model: that was asked for.
        stream: is the answer streamed?
        body: as it came; the order of its properties counts.
    """
    try:
        plain = msgspec.json.format(body, indent=-1)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    name = msgspec.json.encode([account, path, model, stream])
    return sha256(name + b"\0" + sha256(plain).digest()).digest()


def hit_headers(*, age_s: float, ttl_s: int, source_id: str) -> list[tuple[bytes, bytes]]:
    """Headers of an answer out of the cache."""
    return [
        (b"x-openrouter-cache-status", b"HIT"),
        (b"x-openrouter-cache-age", b"%d" % age_s),
        (b"x-openrouter-cache-ttl", b"%d" % ttl_s),
        (b"x-openrouter-cache-source-id", source_id.encode()),
    ]


def miss_headers(ttl_s: int) -> list[tuple[bytes, bytes]]:
    """Headers of an answer that may be kept when it is whole."""
    return [(b"x-openrouter-cache-status", b"MISS"), (b"x-openrouter-cache-ttl", b"%d" % ttl_s)]


def _truth(value: bytes) -> bool | None:
    return {b"true": True, b"false": False}.get(value.strip().lower())


def _ttl(value: bytes) -> int:
    number = _NUMBER.match(value)
    return DEFAULT_TTL_S if number is None else max(_LEAST_TTL_S, min(int(number[1]), _MOST_TTL_S))
