"""An engine that nobody asks costs nothing, and the first caller waits for it: real Ray, a real engine, a real router.

One replica is started by a waiting caller, kept up by work alone, and stopped while the router goes on looking at it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.served import router
from tests.e2e.engines import MODEL, START_S, Cluster, engines, until

SCALING = {"min_replicas": 0, "max_replicas": 1, "upscale_delay_s": 1, "downscale_delay_s": 15}
KEY = "sk-or-v1-" + "5" * 64
GONE_S = 180.0  # the look-back of Ray's autoscaling is 30 s, its delay here 15 s; the rest is for a busy machine


def configuration(cluster: Cluster, token: Path) -> dict[str, Any]:
    pool = {
        "name": "pocket",
        "upstream_model": MODEL,
        "scales_to_zero": True,
        "waiting_room_s": START_S,
        "deadlines": {"total_s": START_S},
        "discovery": {
            "kind": "ray",
            "dashboard": cluster.base_url,
            "application": "pocket",
            "token": {"file": str(token)},
        },
    }
    return {
        "listen": {"host": "127.0.0.1", "port": 0},
        "keys": [{"name": "test", "secret": {"value": KEY}}],
        "models": [{"id": MODEL, "context_length": 4096, "pools": [pool]}],
    }


@pytest.fixture(scope="module")
def asleep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, str]]:
    """A cluster whose application has no replica, and the address of a router that is ready nevertheless."""
    folder = tmp_path_factory.mktemp("zero")
    with engines(folder, {"autoscaling": SCALING, "drain": {"timeout_s": 10}}) as run:
        ready = run.wait_for("ready", START_S)
        cluster = Cluster.of(ready)
        assert {} == cluster.replicas()
        with router(folder, configuration(cluster, Path(ready["token_file"]))) as url:
            yield cluster, url


def test_the_first_caller_wakes_an_engine_that_goes_when_nobody_asks_any_more(asleep: tuple[Cluster, str]) -> None:
    cluster, url = asleep
    question = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "What is 3 + 4?"}],
        "temperature": 0,
        "stream": True,
    }
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.stream("POST", f"{url}/api/v1/chat/completions", json=question, headers=headers, timeout=START_S) as it:
        lines = [line for line in it.iter_lines() if line]
    assert 200 == it.status_code
    assert ": OPENROUTER PROCESSING" in lines  # it was told that it waits
    assert "data: [DONE]" == lines[-1]
    assert "7" in "".join(lines)
    assert 1 == len(cluster.replicas())

    until(lambda: not cluster.replicas(), GONE_S, "the replica is kept though nobody asks")  # the router looks on
    assert 200 == httpx.get(f"{url}/readyz").status_code
