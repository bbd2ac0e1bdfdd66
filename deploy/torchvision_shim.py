"""Makes PyPI's torchvision importable beside a CPU build of PyTorch.

PyPI's torchvision wheel is the CUDA build. Beside CPU PyTorch its C++ library cannot load, so the operators
`torchvision::nms` and `torchvision::qnms` are never defined, and torchvision dies while it attaches Python
functions to them. vLLM's picture code imports torchvision for its transforms alone, in several processes, before
any plug-in of ours could run. Declaring the two operators first is enough, but it must happen in every Python
process of the environment: hence a `.pth` file in site-packages.

Rules: nothing is imported at start-up beyond this file (no torch: every Python process of the environment pays for
it); nothing happens where the wheel and PyTorch already fit together, also if they are exchanged later.

`python deploy/torchvision_shim.py` installs it into the running interpreter's environment, again and again the same.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

MODULE = "_tramontane_torchvision_shim"
NMS_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
OPERATORS = ("nms", "qnms")

# The declarations last as long as this object does: torch.library removes them when it is collected.
_declared: list[object] = []


def is_needed(torch_version: str, torchvision_version: str) -> bool:
    """Whether the two builds clash, told by their full versions (`2.13.0+cpu`, `0.28.0+cu130`)."""
    return "+cu" not in torch_version and "+cu" in torchvision_version


def full_version(package_file: str) -> str:
    """The version with its build tag, from the `version.py` beside a package's `__init__.py`.

    Read as text: importing torchvision is what fails. The wheel's metadata has no build tag.

    Raises:
        ValueError: the file has no `__version__` line.
    """
    from pathlib import Path

    path = Path(package_file).with_name("version.py")
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name.partition(":")[0].strip() == "__version__":
            return value.strip().strip("'\"")
    raise ValueError(f"{path} has no __version__ line")


def declare_operators() -> None:
    """Define the schemas torchvision's Python code refers to; calling one still fails, for want of a kernel."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in OPERATORS:
        library.define(name + NMS_SCHEMA)
    _declared.append(library)


class _Loader(SourceFileLoader):
    """Declares the operators, if they will be missing, just before torchvision's own code runs."""

    def exec_module(self, module: ModuleType) -> None:
        import torch

        if not _declared and is_needed(torch.__version__, full_version(self.path)):
            declare_operators()
        super().exec_module(module)


class _Finder:
    """Finds torchvision as usual, with the loader above; only looking for it (`find_spec`) imports nothing."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "torchvision":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def hook() -> None:
    """Called by the `.pth` line in every process."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


def install(site_packages: str) -> str:
    """Copy this file and a `.pth` line into an environment if its torchvision needs them, else remove them.

    Returns:
        What was done, as a sentence.
    """
    import py_compile
    from pathlib import Path

    folder = Path(site_packages)
    module, line = folder / f"{MODULE}.py", folder / f"{MODULE}.pth"
    torch, torchvision = folder / "torch/__init__.py", folder / "torchvision/__init__.py"
    if not (torch.exists() and torchvision.exists()):
        return "torchvision shim: nothing to do, torch or torchvision is not installed here"
    if not is_needed(full_version(str(torch)), full_version(str(torchvision))):
        for path in (line, module):
            path.unlink(missing_ok=True)
        return "torchvision shim: not needed, torch and torchvision are of one kind"
    module.write_bytes(Path(__file__).read_bytes())
    py_compile.compile(str(module))
    line.write_text(f"import {MODULE}; {MODULE}.hook()\n", encoding="utf-8")
    return f"torchvision shim: installed as {line}"


if __name__ == "__main__":
    import sysconfig

    print(install(sysconfig.get_paths()["purelib"]))
