"""The models there are, one file each."""

from serving.config import ConfigError
from serving.profiles import mistral_small_3_1_24b, pocket
from serving.profiles.base import Preset, Profile

PROFILES = {profile.name: profile for profile in (mistral_small_3_1_24b.PROFILE, pocket.PROFILE)}


def find(model: str, preset: str) -> tuple[Profile, Preset]:
    """Look up a profile and one of its presets.

    Raises:
        ConfigError: there is no such profile or preset; the message lists those there are.
    """
    profile = PROFILES.get(model)
    if profile is None:
        raise ConfigError(f"model: there is no profile {model!r}; there are {', '.join(sorted(PROFILES))}")
    found = profile.presets.get(preset)
    if found is None:
        raise ConfigError(f"preset: {model} has no preset {preset!r}; it has {', '.join(sorted(profile.presets))}")
    return profile, found
