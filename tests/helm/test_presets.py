"""What templates know of models is what engines do."""

import pytest
import yaml

from deploy.chart import presets
from serving.config import Deployment
from serving.engine import resolve
from serving.profiles import PROFILES

ALL = [(name, preset) for name, profile in PROFILES.items() for preset in profile.presets]


def test_the_file_is_what_the_profiles_make() -> None:
    assert presets.text() == presets.FILE.read_text(encoding="utf-8")


def test_an_outdated_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == presets.main(["--check"])
    assert 1 == presets.write(presets.FILE, "another", check=True)
    assert "presets.yaml is not what its sources make" in capsys.readouterr().err


@pytest.mark.parametrize(("model", "preset"), ALL)
def test_every_preset_is_in_it_with_what_its_engine_is(model: str, preset: str) -> None:
    known = yaml.safe_load(presets.FILE.read_text(encoding="utf-8"))[f"{model}/{preset}"]
    engine = resolve(Deployment(model=model, preset=preset))

    assert (engine.model_id, engine.on_gpu) == (known["model_id"], known["gpu"])
    assert (engine.accelerator_type or "") == known["accelerator"]
    assert len(engine.placement.bundles) == known["tensor_parallel_size"]
    assert engine.arguments["max_model_len"] == known["context_length"]
    assert engine.source == known["source"] or "" == known["source"]


def test_no_path_of_this_machine_is_in_it() -> None:
    assert ": /" not in presets.FILE.read_text(encoding="utf-8")
