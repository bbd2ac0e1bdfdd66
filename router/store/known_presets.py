"""Presets that requests have named lately, so that the database is asked once in a while and not for each of them.

One that was changed by another router is known here within `fresh_s`; by this router, at once. While the database is
away what was read last counts on. That there is none is remembered too, and as briefly.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from router.protocol.errors import ApiError
from router.protocol.presets.preset import Preset
from router.store.away import DatabaseAway
from router.store.preset_records import PresetRecord

_config = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RETRY_AFTER_S = 5.0


@dataclass(frozen=True, slots=True)
class KnownPresetsSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    fresh_s: float = 5.0  # seconds for which what was read counts; as long as a change may take to arrive
    presets: int = 1_000  # remembered; each has at most 64 KiB

    def __post_init__(self) -> None:
        if not self.fresh_s > 0:
            raise ValueError(f"fresh_s must be above 0 seconds, got {self.fresh_s}")
        if self.presets < 1:
            raise ValueError(f"presets must be at least 1, got {self.presets}")


class Finds(Protocol):
    """See `presets.PresetStore`."""

    async def get(self, workspace: str, slug: str) -> PresetRecord | None: ...


@dataclass(slots=True)
class _Known:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # one reads, the others wait for it
    preset: Preset | None = None
    read_at: float | None = None


class KnownPresets:
    """One per router. `clock`: monotonic seconds."""

    def __init__(
        self, store: Finds, settings: KnownPresetsSettings | None = None, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._settings = settings or KnownPresetsSettings()
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()  # used longest ago first

    async def find(self, workspace: str, slug: str) -> Preset | None:
        """None: there is none of that name which may be used.

        Raises:
            ApiError: 503, that cannot be told at the moment.
        """
        known = self._known.setdefault((workspace, slug), _Known())
        self._known.move_to_end((workspace, slug))
        while len(self._known) > self._settings.presets:
            self._known.popitem(last=False)
        async with known.lock:
            if known.read_at is None or self._clock() - known.read_at > self._settings.fresh_s:
                await self._read(known, workspace, slug)
        return known.preset

    def changed(self, workspace: str, slug: str) -> None:
        """It was changed here."""
        self._known.pop((workspace, slug), None)

    async def _read(self, known: _Known, workspace: str, slug: str) -> None:
        now = self._clock()
        try:
            record = await self._store.get(workspace, slug)
        except DatabaseAway:
            if known.read_at is None:
                raise ApiError(
                    "provider_overloaded",
                    "The preset cannot be read at the moment. Please try again shortly.",
                    metadata={"reason": "preset_unread"},
                    retry_after_s=_RETRY_AFTER_S,
                ) from None
            return
        known.preset, known.read_at = _preset(record), now


def _preset(record: PresetRecord | None) -> Preset | None:
    if record is None or record.status != "active":
        return None
    version = record.designated
    config: Mapping[str, msgspec.Raw] = _config.decode(version.config)
    return Preset(record.id, version.system_prompt, config)
