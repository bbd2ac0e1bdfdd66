"""The shim beside a made-up environment: when it is installed, what it does in a process, what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy import torchvision_shim


def environment(folder: Path, torch: str, torchvision: str) -> Path:
    """A site-packages whose torch counts the operators declared, and whose torchvision needs them at import."""
    (folder / "torch").mkdir(parents=True)
    (folder / "torchvision").mkdir()
    (folder / "torch/version.py").write_text(f"from typing import Optional\n__version__ = '{torch}'\n")
    (folder / "torch/__init__.py").write_text(
        "from .version import __version__\n"
        "declared = []\n"
        "class library:\n"
        "    class Library:\n"
        "        def __init__(self, name, kind): self.name = name\n"
        "        def define(self, schema): declared.append(f'{self.name}::{schema}')\n"
    )
    (folder / "torchvision/version.py").write_text(f"__version__ = '{torchvision}'\n")
    (folder / "torchvision/__init__.py").write_text(
        "from .version import __version__\nimport torch\nprint(*torch.declared, sep='\\n')\n"
    )
    return folder


def run(site_packages: Path, code: str) -> str:
    """What a new Python process with this site-packages prints."""
    command = [sys.executable, "-S", "-c", f"import site; site.addsitedir({str(site_packages)!r}); {code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_cuda_torchvision_beside_a_cpu_torch_finds_its_operators_declared(tmp_path: Path) -> None:
    folder = environment(tmp_path, "2.13.0+cpu", "0.28.0+cu130")
    torchvision_shim.install(str(folder))
    arguments = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    assert run(folder, "import torchvision") == f"torchvision::nms{arguments}\ntorchvision::qnms{arguments}\n"


def test_looking_for_torchvision_does_not_import_torch(tmp_path: Path) -> None:
    folder = environment(tmp_path, "2.13.0+cpu", "0.28.0+cu130")
    torchvision_shim.install(str(folder))
    code = "import importlib.util, sys; importlib.util.find_spec('torchvision'); print('torch' in sys.modules)"
    assert run(folder, code) == "False\n"


@pytest.mark.parametrize(
    ("torch", "torchvision"),
    [("2.13.0+cpu", "0.28.0+cpu"), ("2.13.0+cu130", "0.28.0+cu130"), ("2.13.0", "0.28.0")],
)
def test_builds_of_one_kind_are_left_alone(tmp_path: Path, torch: str, torchvision: str) -> None:
    folder = environment(tmp_path, torch, torchvision)
    torchvision_shim.install(str(folder))
    assert list(folder.glob("*.pth")) == []


def test_a_torchvision_exchanged_later_is_left_alone(tmp_path: Path) -> None:
    folder = environment(tmp_path, "2.13.0+cpu", "0.28.0+cu130")
    torchvision_shim.install(str(folder))
    (folder / "torchvision/version.py").write_text("__version__ = '0.28.0+cpu'\n")
    assert run(folder, "import torchvision") == "\n"


def test_installing_again_after_the_exchange_removes_it(tmp_path: Path) -> None:
    folder = environment(tmp_path, "2.13.0+cpu", "0.28.0+cu130")
    torchvision_shim.install(str(folder))
    torchvision_shim.install(str(folder))
    assert [path.name for path in folder.glob("*.pth")] == ["_tramontane_torchvision_shim.pth"]
    (folder / "torchvision/version.py").write_text("__version__ = '0.28.0+cpu'\n")
    torchvision_shim.install(str(folder))
    assert list(folder.glob("_tramontane*")) == []


def test_an_environment_without_torch_is_left_alone(tmp_path: Path) -> None:
    assert "not installed" in torchvision_shim.install(str(tmp_path))


def test_a_version_file_without_a_version_is_refused(tmp_path: Path) -> None:
    folder = environment(tmp_path, "2.13.0+cpu", "0.28.0+cu130")
    (folder / "torch/version.py").write_text("")
    with pytest.raises(ValueError, match=r"torch/version\.py has no __version__ line"):
        torchvision_shim.install(str(folder))
