"""Whether this environment can run engines, or only route."""

from collections.abc import Callable
from importlib.util import find_spec

from deploy.problem import Problem

ENGINE_MODULES = ("ray", "vllm", "torch", "psutil", "PIL")


def require_engines(find: Callable[[str], object | None] = find_spec) -> None:
    """Refuse what would fail in the middle.

    Raises:
        Problem: naming what is missing, and how to get it.
    """
    missing = [name for name in ENGINE_MODULES if find(name) is None]
    if missing:
        raise Problem(
            f"engines cannot run in this environment: {', '.join(missing)} not installed. In a clone of the project, "
            "`make setup` installs them for a CPU, pip install '.[gpu]' for GPUs. `tramontane route` and "
            "`tramontane ask` work without."
        )
