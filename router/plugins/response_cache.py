"""Answers that were given once, kept for callers who ask for that (`X-OpenRouter-Cache: true`).

Only whole answers without a fault are kept, as they left the gateway, before any skin. Everything is bounded: how many
bytes are kept, how many are just being recorded, and how large one answer may be. The same request twice at the same
time is answered twice, as OpenRouter has it.
"""

from collections import OrderedDict
from dataclasses import dataclass

from router.policy.catalog import Pool
from router.protocol.plugins.replay import Name


@dataclass(frozen=True, slots=True)
class ResponseCacheSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    most_bytes: int = 67_108_864  # 64 MiB of answers, some 20,000; the least recently used goes first. 0: no cache
    entry_bytes: int = 1_048_576  # 1 MiB of one answer; 8,000 tokens as a stream have that

    def __post_init__(self) -> None:
        for name in ("most_bytes", "entry_bytes"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """One of them."""

    data: bytes  # a body, or all events of a stream
    is_stream: bool
    name: Name  # that it had
    pool: Pool  # that answered
    finish_reason: str | None
    kept_at: float  # clock
    ttl_s: int


class ResponseCache:
    """Of one router."""

    def __init__(self, settings: ResponseCacheSettings) -> None:
        self._settings = settings
        self._kept: OrderedDict[bytes, CachedAnswer] = OrderedDict()
        self.bytes = 0
        self.recording_bytes = 0  # of answers that are not whole yet
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def is_on(self) -> bool:
        """Is anything ever kept?"""
        return self._settings.most_bytes > 0

    def get(self, key: bytes, now: float) -> CachedAnswer | None:
        """The answer, if there is one that is not too old."""
        answer = self._kept.get(key)
        if answer is not None and now >= answer.kept_at + answer.ttl_s:
            self.drop(key)
            answer = None
        if answer is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: CachedAnswer) -> None:
        """Keep it, in place of what was kept before."""
        self.drop(key)
        if len(answer.data) > min(self._settings.entry_bytes, self._settings.most_bytes):
            return
        self._kept[key] = answer
        self.bytes += _size(answer)
        while self.bytes > self._settings.most_bytes:
            self.bytes -= _size(self._kept.popitem(last=False)[1])

    def drop(self, key: bytes) -> None:
        """Forget what is kept by that name, if anything is."""
        answer = self._kept.pop(key, None)
        if answer is not None:
            self.bytes -= _size(answer)

    def may_record(self, size: int, more: int) -> bool:
        """Is there room for so many more bytes of an answer that has `size` so far? They count as taken then."""
        if size + more > self._settings.entry_bytes or self.recording_bytes + more > self._settings.most_bytes:
            return False
        self.recording_bytes += more
        return True


def _size(answer: CachedAnswer) -> int:
    return len(answer.data) + 512  # what an entry costs besides
