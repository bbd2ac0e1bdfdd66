"""Presets as they are kept. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PresetVersion:
    """What a preset said at one time. Versions are never changed."""

    id: str
    preset: str
    version: int  # from 1
    system_prompt: str | None
    config: str  # JSON object
    creator: str
    created_at: float


@dataclass(frozen=True, slots=True)
class PresetRecord:
    """A name for settings, in a workspace."""

    id: str
    workspace: str
    slug: str
    name: str
    description: str | None
    status: str
    creator: str | None
    created_at: float
    updated_at: float
    designated: PresetVersion  # what requests that name it get
