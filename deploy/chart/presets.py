"""`python -m deploy.chart.presets [--check]`: writes helm/tramontane/files/presets.yaml.

What templates must know of a model on a kind of hardware: what a router is told, and what a pod must hold. Made of
serving/profiles, as a chart cannot ask Python. `--check` writes nothing and fails if the file is not what would be
written.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.chart.schema import write
from deploy.chart.values_file import CHART
from deploy.model_facts import facts_of
from serving.config import Deployment
from serving.memory import GIB
from serving.profiles import PROFILES
from serving.profiles.base import Preset, Profile

FILE = CHART / "files" / "presets.yaml"
HEAD = (
    "# Made by `python -m deploy.chart.presets` of serving/profiles: by model/preset, what templates must know of it.\n"
)
BYTES_PER_WEIGHT = 2  # as they lie on the hub, whatever engines make of them


def facts(profile: Profile, preset: Preset) -> dict[str, Any]:
    """Of one model on one kind of hardware, as templates read it."""
    told = facts_of(Deployment(model=profile.name, preset=preset.name))
    found: dict[str, Any] = {
        "model_id": told.model_id,
        "context_length": told.context_length,
        "images_per_request": told.images_per_request,
        "quantization": told.quantization,
        "default_parameters": dict(told.sampling),
        # A repository of the hub; empty: the weights are part of the image.
        "source": told.hugging_face_id or "",
        "gpu": preset.card is not None,
        "tensor_parallel_size": preset.tensor_parallel_size,
        # Ray's name of the card, by which it finds a node; empty: any.
        "accelerator": preset.accelerator_type or "",
        "weights_gib": _weights_gib(profile),
    }
    return found


def _weights_gib(profile: Profile) -> int:
    """Rounded up; 0 where they come with the image."""
    if Path(profile.source).is_absolute() or profile.architecture is None:
        return 0
    return math.ceil(profile.architecture.parameters * BYTES_PER_WEIGHT / GIB)


def text() -> str:
    """The file."""
    made = {
        f"{profile.name}/{preset.name}": facts(profile, preset)
        for profile in PROFILES.values()
        for preset in profile.presets.values()
    }
    return HEAD + yaml.safe_dump(made, sort_keys=True, width=120)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.chart.presets", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the file is another")
    given = parser.parse_args(arguments)
    return write(FILE, text(), check=given.check)


if __name__ == "__main__":
    sys.exit(main())
