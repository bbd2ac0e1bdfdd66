"""vLLM's own server for one engine, on the loopback address, and what it says while it starts."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

from bench.processes import ChildFailed, child
from serving.cluster import HOST, free_port
from serving.engine import Engine
from serving.local_get import get

SERVER = "vllm.entrypoints.openai.api_server"
POLL_S = 0.25
PATTERNS = {
    "weights_gib": r"Model loading took ([\d.]+) GiB",
    "load_s": r"Model loading took [\d.]+ GiB memory and ([\d.]+) s",
    "card_gib": r"Free memory on device \([\d.]+/([\d.]+) GiB\)",
    "usable_gib": r"Desired GPU memory utilization is \([\d.]+, ([\d.]+) GiB\)",
    "consumed_gib": r"Actual usage is ([\d.]+) GiB for consumed memory",
    "activations_gib": r"\(weights \+ non-torch\), ([\d.]+) GiB for peak activation",
    "graphs_gib": r"Graph capturing finished in [\d.]+ secs, took (-?[\d.]+) GiB",
    "graphs_s": r"Graph capturing finished in ([\d.]+) secs",
    "compile_s": r"torch\.compile took ([\d.]+) s in total",
    "kv_gib": r"Available KV cache memory: ([\d.]+) GiB",
    "kv_tokens": r"GPU KV cache size: ([\d,]+) tokens",
    "init_s": r"init engine \(profile, create kv cache, warmup model\) took ([\d.]+) s",
}
"""What vLLM 0.29 says while it starts; in GiB, seconds and tokens."""


def said(log: str) -> dict[str, float]:
    """What the engine's log says of memory and of its start; the last word counts."""
    found = {name: re.findall(pattern, log) for name, pattern in PATTERNS.items()}
    return {name: float(values[-1].replace(",", "")) for name, values in found.items() if values}


def flags(arguments: Mapping[str, Any]) -> list[str]:
    """vLLM's command line of these arguments."""
    given: list[str] = []
    for name, value in arguments.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            given.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, Mapping | list):
            given += [f"--{flag}", json.dumps(value)]
        else:
            given += [f"--{flag}", str(value)]
    return given


@contextmanager
def server(engine: Engine, log: Path, wait_s: float) -> Iterator[tuple[str, float]]:
    """Run vLLM's server until the block ends: its address, and the seconds until it was healthy.

    Raises ChildFailed when it ends before that or is not healthy in time.
    """
    port = free_port()
    os.environ.update(engine.environment)
    os.environ["VLLM_SERVER_DEV_MODE"] = "1"  # opens /collective_rpc; the port is on the loopback address
    own = ["--model", engine.source, "--served-model-name", engine.model_id, "--host", HOST, "--port", str(port)]
    own += ["--worker-extension-cls", "bench.on_gpu.encoder_clock.EncoderClock"]
    began = time.monotonic()
    with child(SERVER, *own, *flags(engine.arguments), cores=os.sched_getaffinity(0), log=log) as process:
        while not _accepts(port):
            if process.poll() is not None:
                raise ChildFailed(f"the engine ended with {process.returncode}: {log}")
            if time.monotonic() - began > wait_s:
                raise ChildFailed(f"the engine was not healthy after {wait_s:.0f} s: {log}")
            time.sleep(POLL_S)
        yield f"http://{HOST}:{port}", time.monotonic() - began


def _accepts(port: int) -> bool:
    # vLLM listens only when the engine is ready.
    try:
        return get(HOST, port, "/health", timeout_s=1.0)[0] == 200
    except (OSError, HTTPException):
        return False
