import argparse
import os
import signal
from pathlib import Path

import httpx
import pytest

from bench.simulator.fleet import Fleet, Place
from bench.simulator.settings import SimulatorSettings
from deploy.cli import simulate
from deploy.problem import Problem
from router import config
from router.sections import StaticSection

URLS = ["http://127.0.0.1:30001", "http://127.0.0.1:30002"]


def options(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    simulate.add_options(parser)
    return parser.parse_args(argv)


def test_without_options_it_is_one_h200_that_takes_its_time() -> None:
    assert SimulatorSettings() == simulate.settings_of(options())


def test_options_become_the_engines_settings() -> None:
    settings = simulate.settings_of(
        options(
            "--preset", "h100-tp2", "--max-num-seqs", "7", "--kv-tokens", "9000", "--time-scale", "0.1", "--kv-events"
        )
    )
    assert ("h100", 2, 0.1, True) == (
        settings.gpu,
        settings.tensor_parallel_size,
        settings.time_scale,
        settings.kv_events,
    )
    assert (7, 9000) == (settings.engine.max_num_seqs, settings.engine.kv_tokens)


def test_the_configuration_it_writes_is_one_the_router_takes(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(simulate.router_config(SimulatorSettings(model="m", time_scale=0.1), URLS))
    read = config.load(file)
    ((pool, section),) = read.pools()
    assert ("m", "m", 131_072) == (pool.model, pool.upstream_model, pool.context_length)
    assert isinstance(section.discovery, StaticSection)
    assert URLS == section.discovery.endpoints
    assert 30.0 == read.routing.balancers.shadow_price.price_per_queued_s  # seconds are a tenth as long
    assert 160_000 < (read.routing.forecast.prefill_tokens_per_s or 0) < 170_000


def test_the_welcome_tells_addresses_and_what_to_do_next() -> None:
    settings = SimulatorSettings(model="m", time_scale=0.1)
    said = simulate.welcome(settings, URLS, "http://127.0.0.1:30000", "h200", Path("router.yaml"))
    assert "2 simulated engine(s), h200, 501,648 tokens of KV cache each, 10 times as fast as a real one:" in said
    assert "  1  http://127.0.0.1:30002\n" in said
    assert "http://127.0.0.1:30000/admin/faults" in said
    assert "route --config router.yaml\n" in said
    assert "curl -N http://127.0.0.1:30001/v1/chat/completions" in said
    assert "--config router.yaml, which writes" in simulate.welcome(settings, URLS, "http://127.0.0.1:1", "h200", None)


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("--kv-tokens", "1000", "--max-model-len", "2000"), "max_model_len must be from 2 to 976"),
        (("--kv-tokens", "10"), "kv_tokens must"),
        (("--host", "192.0.2.1"), "cannot listen on 192.0.2.1"),
        (("--tokenizer", "/nowhere"), "--tokenizer"),
        (("--config", "/nowhere/router.yaml"), "--config /nowhere/router.yaml: No such file"),
    ],
)
def test_what_cannot_be_is_a_problem_in_one_sentence(argv: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Problem, match=reason):
        simulate.run(options(*argv))


@pytest.mark.parametrize("argv", [("-n", "0"), ("--time-scale", "0"), ("--time-scale", "x"), ("--preset", "b200")])
def test_values_that_make_no_sense_are_refused(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(*argv)
    assert argv[0] in capsys.readouterr().err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_signal_and_leaves_nobody_listening(signum: signal.Signals) -> None:
    urls: list[str] = []

    def tell(fleet: Fleet) -> None:
        urls.extend([*fleet.urls, fleet.admin.listener.url])
        os.kill(os.getpid(), signum)

    simulate.run_until_signal(SimulatorSettings(), 2, Place(), tell)
    assert 3 == len(set(urls))
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
