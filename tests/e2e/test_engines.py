"""Real engines under real Ray: what is announced, what is replaced, how it ends, what stays behind.

One cluster with one replica of tensor parallel size 2 serves all tests of its life in order, its end being the last.
Another, with a replica that is not split, is drained (the workers of a split one wait for each other by yielding their
core, and some kernels then let a stream of theirs keep everybody else waiting for many seconds). Four more are only
ever starting when their end comes.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import zmq

from tests.e2e.engines import ASK, START_S, Cluster, Engines, alive, engines, until

HEALTH = {"period_s": 1, "stall_s": 5, "probe_timeout_s": 4, "timeout_s": 8}


class Life:
    """What the tests of one cluster hand on."""

    def __init__(self, run: Engines, ready: dict[str, Any]) -> None:
        self.run = run
        self.ready = ready
        self.cluster = Cluster.of(ready)

    def replica(self) -> str:
        """The base URL of the one replica."""
        (url,) = self.cluster.replicas().values()
        return url

    def metric(self, name: str) -> float:
        """A sample of the replica's own metrics."""
        for line in httpx.get(self.replica() + "/metrics").text.splitlines():
            if line.startswith((name + "{", name + " ")):
                return float(line.rsplit(" ", 1)[1])
        raise KeyError(name)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("engines")
    deployment = {"tensor_parallel_size": 2, "health": HEALTH, "drain": {"timeout_s": 60}}
    with engines(folder, deployment) as run:
        yield Life(run, dict(run.wait_for("ready", START_S)))


def chat(url: str, **more: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/chat/completions", json={**ASK, "max_tokens": 8, **more}, timeout=60)


def test_a_replica_split_over_two_workers_answers_on_a_port_of_its_own(life: Life) -> None:
    assert [replica["port"] for replica in life.ready["replicas"]] == [int(life.replica().rsplit(":", 1)[1])]
    assert len(life.run.processes("VLLM::Worker_TP")) == 2
    assert chat(life.replica()).json()["choices"][0]["finish_reason"] in ("stop", "length")


def test_a_replica_is_announced_only_after_it_was_warmed_up(life: Life) -> None:
    assert life.metric("vllm:mm_cache_queries_total") > 0  # nobody but the warm-up has shown it a picture
    usage = chat(life.replica(), max_tokens=1).json()["usage"]
    assert usage["completion_tokens"] == 1
    assert "cached_tokens" in usage["prompt_tokens_details"]


def test_tokens_go_in_and_come_out(life: Life) -> None:
    url = life.replica()
    rendered = httpx.post(f"{url}/v1/chat/completions/render", json={**ASK, "max_tokens": 4}).json()
    answer = chat(url, max_tokens=4, return_token_ids=True).json()
    assert rendered["token_ids"] == answer["prompt_token_ids"]
    generated = httpx.post(
        f"{url}/inference/v1/generate",
        json={
            "model": ASK["model"],
            "token_ids": rendered["token_ids"],
            "sampling_params": {"max_tokens": 4, "temperature": 0},
        },
    ).json()
    assert answer["choices"][0]["token_ids"] == generated["choices"][0]["token_ids"]


def test_a_replica_publishes_cache_events_where_it_says(life: Life) -> None:
    (source,) = httpx.get(life.replica() + "/kv_event_sources").json()
    chat(life.replica(), messages=[{"role": "user", "content": "one two three four " * 60}])  # more than one block
    with zmq.Context() as context, context.socket(zmq.DEALER) as replay:
        replay.connect(source["replay_endpoint"])

        def replayed() -> bytes:
            replay.send_multipart([b"", (0).to_bytes(8, "big")])  # from the first event on
            event = b""
            while (frames := replay.recv_multipart())[-1]:  # an empty one ends them
                event = frames[-1]
            return event

        replay.rcvtimeo = 10_000  # ms
        until(lambda: b"BlockStored" in replayed(), 10, "no event about a stored block")


def test_an_engine_that_stands_still_is_replaced_although_it_says_it_is_well(life: Life) -> None:
    before = life.cluster.replicas()
    (url,) = before.values()
    of_engine = life.run.processes("VLLM::")
    (core,) = life.run.processes("VLLM::EngineCore")
    os.kill(core.pid, signal.SIGSTOP)
    with pytest.raises(httpx.HTTPError):  # it never answers: the connection ends with the replica
        httpx.post(f"{url}/v1/chat/completions", json={**ASK, "max_tokens": 8}, timeout=httpx.Timeout(3))
    assert httpx.get(f"{url}/health").status_code == 200
    until(lambda: not before.keys() & life.cluster.replicas().keys(), 120, "the stopped replica is still announced")
    until(lambda: len(life.cluster.replicas()) == 1, START_S, "no replica came in its place")
    assert alive(of_engine) == []
    assert chat(life.replica()).status_code == 200


def test_a_stop_leaves_nothing_of_a_split_replica(life: Life) -> None:
    everything = life.run.processes()
    life.run.process.send_signal(signal.SIGTERM)
    assert 0 == life.run.process.wait(120)
    assert [] == alive(everything)


def test_a_stop_lets_streams_end_refuses_new_work_and_leaves_nothing(tmp_path: Path) -> None:
    with engines(tmp_path, {"drain": {"timeout_s": 60, "leave_s": 1}}) as run:
        ready = run.wait_for("ready", START_S)
        (url,) = Cluster.of(ready).replicas().values()
        everything = run.processes()
        body = {**ASK, "max_tokens": 3900, "ignore_eos": True, "stream": True}  # nearly the whole context
        body["stream_options"] = {"include_usage": True}
        refused: list[httpx.Response] = []

        def is_refused() -> bool:
            answer = chat(url)
            if answer.status_code == 503:
                refused.append(answer)
            return bool(refused)

        with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as stream:
            lines = stream.iter_lines()
            first = next(lines)
            run.process.send_signal(signal.SIGTERM)
            until(is_refused, 15, "new work is still taken")
            rest = [line for line in lines if line]
        assert first.startswith("data: ")
        assert "1" == refused[0].headers["retry-after"]
        assert "data: [DONE]" == rest[-1]
        assert 3900 == json.loads(rest[-2].removeprefix("data: "))["usage"]["completion_tokens"]
        assert 0 == run.process.wait(120)
        assert [] == alive(everything)


def starting(run: Engines) -> list[psutil.Process]:
    """Wait until a replica is being started, and return all that runs by then."""
    run.wait_for("cluster", START_S)
    until(lambda: bool(run.processes("ray::ServeReplica")), START_S, "no replica is being started")
    return run.processes()


def test_a_stop_while_ray_starts_has_ended_well_and_leaves_nothing(tmp_path: Path) -> None:
    with engines(tmp_path, {}) as run:
        until(lambda: bool(run.processes("gcs_server")), START_S, "Ray is not being started")
        everything = run.processes()
        (local,) = run.processes("serving.local")
        words = local.cmdline()
        folder = Path(words[words.index("serving.local") + 2])
        assert folder.exists()
        run.process.send_signal(signal.SIGTERM)
        assert 0 == run.process.wait(120)
        assert [] == alive(everything)
        assert not folder.exists()


def test_a_killed_replica_takes_its_engine_along_and_an_interrupted_start_leaves_nothing(tmp_path: Path) -> None:
    with engines(tmp_path, {}) as run:
        starting(run)
        until(lambda: bool(run.processes("VLLM::EngineCore")), START_S, "no engine is being started")
        everything = run.processes()
        (core,) = run.processes("VLLM::EngineCore")
        (replica,) = run.processes("ray::ServeReplica")
        core.suspend()  # so that it cannot notice by itself
        replica.kill()
        until(lambda: not alive([core, replica]), 15, "the engine outlived its replica")
        os.killpg(run.process.pid, signal.SIGINT)  # what Ctrl-C does: the whole foreground group gets it
        assert 0 == run.process.wait(120)
        assert [] == alive(everything)


def test_a_cluster_that_is_lost_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with engines(tmp_path, {}) as run:
        everything = starting(run)
        (raylet,) = run.processes("raylet/raylet")
        raylet.kill()
        assert "Ray's raylet ended" == run.wait_for("failed", 120)["message"]
        assert 1 == run.process.wait(120)
        assert [] == alive(everything)


def test_a_killed_keeper_takes_the_cluster_with_it(tmp_path: Path) -> None:
    with engines(tmp_path, {}) as run:
        everything = starting(run)
        run.process.kill()
        run.process.wait(10)
        until(lambda: not alive(everything), 60, "processes outlived the keeper")
