"""The promises that hold for the tree as a whole: who may import whom, and how light the router is."""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import psutil

ROOT = Path(__file__).parents[1]
MODULES = 1_300  # of which the standard library, FastAPI and aiohttp are a thousand
IDLE_MB = 120
CONFIG = """\
listen: {host: 127.0.0.1, port: 0}
allow_anonymous: true
models:
  - id: m
    context_length: 4096
    pools:
      - {name: p, upstream_model: m, discovery: {kind: static, endpoints: ["http://127.0.0.1:9"]}}
"""


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    ).stdout


def get_when_up(url: str, timeout_s: float = 60.0) -> None:
    """Fetch, again and again until somebody answers."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as answer:
                answer.read()
                return
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_the_import_contracts_are_kept() -> None:
    """In a process of its own: it sets up logging for all that come after it."""
    assert "0 broken" in python("from importlinter.cli import lint_imports; lint_imports(no_cache=True)")


def test_the_router_loads_no_engine_library() -> None:
    loaded = python("import sys, router.app, router.__main__; print(*sys.modules)").split()
    assert set() == {"ray", "vllm", "torch", "numpy", "serving"} & set(loaded)


def test_the_router_loads_a_library_only_when_it_is_used() -> None:
    """What makes a start slow is what is imported: counted, because seconds are the machine's."""
    loaded = python("import sys, router.app, router.__main__; print(*sys.modules)").split()
    assert set() == {"alembic", "asyncpg", "aiosqlite", "pypdfium2", "PIL", "sqlalchemy"} & set(loaded)
    assert len(loaded) < MODULES


def test_an_idle_router_needs_under_120_mb(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(CONFIG)
    command = [sys.executable, "-m", "router", "--config", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            get_when_up(url + "/metrics")
            resident_mb = psutil.Process(process.pid).memory_info().rss / 1e6
        finally:
            process.terminate()
    assert resident_mb < IDLE_MB
