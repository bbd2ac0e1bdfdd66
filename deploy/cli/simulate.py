"""`tramontane simulate`: engines without GPUs, to try a router's configuration on."""

import argparse
import asyncio
import math
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.options import DEFAULT_PORT, whole_number
from deploy.cli.screen import Screen
from deploy.problem import Problem

if TYPE_CHECKING:
    from bench.simulator.fleet import Fleet, Place
    from bench.simulator.settings import SimulatorSettings

DESCRIPTION = """\
Start simulated engines: vLLM's API, batches that take as long as on real GPUs (measured for Mistral Small 3.1 24B),
a KV cache that hits and evicts, metrics, and faults on request. The answers are nonsense of the right length. Needs no
GPU and no engine library; stays up until Ctrl-C.

examples:
  tramontane simulate                                 one engine, an H200
  tramontane simulate -n 4 --preset h100-tp2 --config router.yaml
                                                      four, and a router configuration for them
  tramontane simulate -n 4 --time-scale 0.1           ten times faster than real engines
  tramontane simulate --model tramontane/pocket --tokenizer serving/pocket/weights
                                                      counts tokens exactly as that model does (needs mistral-common)

faults (each engine has a number, from 0; without ?engine=N all are meant):
  curl -X PUT  ADMIN/admin/faults?engine=0 -d '{"fault": "503", "share": 0.2, "retry_after_s": 2, "for_s": 60}'
  curl -X DELETE ADMIN/admin/faults
  kinds: refuse, reset, 500, 503, slow-first-token, stall, stall-with-comments, truncate, garbage, hang, die
  keys: share (of requests), count (of requests), for_s, after_tokens, delay_s, retry_after_s
"""
PRESETS = tuple(f"{gpu}{tp}" for gpu in ("h100", "h200", "a100") for tp in ("", "-tp2"))
WELCOME = """\
{count} simulated engine(s), {hardware}, {kv_tokens:,} tokens of KV cache each{speed}:

{engines}

  model   {model}
  admin   {admin}/admin/state (what they do), {admin}/admin/faults (see `tramontane simulate --help`)
{config}
Ask the first one directly:

  curl -N {first}/v1/chat/completions -H "Content-Type: application/json" \\
    -d '{{"model": "{model}", "stream": true, "max_tokens": 20, "messages": [{{"role": "user", "content": "Hello"}}]}}'

Ctrl-C stops them.\
"""
WITH_CONFIG = """\
  config  {file}

Put the router before them, in another shell:

  {command} route --config {file}
  {command} status --base-url http://127.0.0.1:{port}/api/v1
  {command} ask --base-url http://127.0.0.1:{port}/api/v1 "Hello"
"""
WITHOUT_CONFIG = """\

To put a router before them: start this again with --config router.yaml, which writes its configuration.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "-n", "--engines", metavar="N", type=whole_number(1, 256), default=1, help="how many (default: 1)"
    )
    parser.add_argument(
        "--preset", choices=PRESETS, default="h200", help="GPU kind, one or two per engine (default: h200)"
    )
    parser.add_argument("--model", metavar="NAME", help="the name they serve (default: mistral-small-3.1-24b)")
    parser.add_argument(
        "--time-scale",
        metavar="S",
        type=_scale,
        default=1.0,
        help="seconds for one of a real engine's: 0.1 is ten times faster (default: 1)",
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="write a router configuration for these engines there"
    )
    place = parser.add_argument_group("where")
    place.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="IPv4 address (default: 127.0.0.1)")
    place.add_argument(
        "--port",
        metavar="PORT",
        type=whole_number(0, 65535),
        default=0,
        help="of the first engine; the next take those after it (default: any free ones)",
    )
    place.add_argument(
        "--admin-port", metavar="PORT", type=whole_number(0, 65535), default=0, help="for faults (default: a free one)"
    )
    engine = parser.add_argument_group("as vLLM's options")
    count = whole_number(1, 10_000_000)
    engine.add_argument("--max-model-len", metavar="N", type=count, help="tokens (default: 131,072, or what fits)")
    engine.add_argument("--max-num-batched-tokens", metavar="N", type=count, default=2048, help="(default: 2048)")
    engine.add_argument("--max-num-seqs", metavar="N", type=count, default=1024, help="(default: 1024)")
    engine.add_argument("--block-size", metavar="N", type=count, default=16, help="tokens (default: 16)")
    engine.add_argument("--kv-tokens", metavar="N", type=count, help="room in the KV cache (default: the GPU's)")
    engine.add_argument("--kv-events", action="store_true", help="publish KV-cache events over ZMQ (needs pyzmq)")
    text = parser.add_argument_group("texts")
    text.add_argument(
        "--tokenizer", metavar="FOLDER", type=Path, help="with a tekken.json (default: four bytes are a token)"
    )
    text.add_argument(
        "--answer-tokens",
        metavar="N",
        type=count,
        default=150,
        help="median length of answers that no max_tokens limits (default: 150)",
    )
    text.add_argument("--seed", metavar="N", type=whole_number(0, 2**32 - 1), default=0, help="(default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Simulate until a signal.

    Raises:
        Problem: an option cannot be used, or a port is taken.
    """
    from bench.simulator.fleet import Place

    try:
        settings = settings_of(arguments)
    except ValueError as error:
        raise Problem(f"{error}; see `tramontane simulate --help`") from None
    place = Place(arguments.host, arguments.port, arguments.admin_port)
    screen = Screen(sys.stdout)

    def tell(fleet: "Fleet") -> None:
        if arguments.config is not None:
            _write(arguments.config, router_config(settings, fleet.urls))
        screen.say(welcome(settings, fleet.urls, fleet.admin.listener.url, arguments.preset, arguments.config))

    run_until_signal(settings, arguments.engines, place, tell)
    screen.say("stopped")
    return 0


def settings_of(arguments: argparse.Namespace) -> "SimulatorSettings":
    """What the options say. Raises ValueError for values that do not go together."""
    from bench.physics.engine import EngineSettings
    from bench.simulator.settings import MODEL, SimulatorSettings

    gpu, _, cards = arguments.preset.partition("-tp")
    return SimulatorSettings(
        model=arguments.model or MODEL,
        gpu=gpu,
        tensor_parallel_size=int(cards or 1),
        engine=EngineSettings(
            block_size=arguments.block_size,
            max_num_batched_tokens=arguments.max_num_batched_tokens,
            max_num_seqs=arguments.max_num_seqs,
            kv_tokens=arguments.kv_tokens,
        ),
        max_model_len=arguments.max_model_len,
        time_scale=arguments.time_scale,
        tokenizer=arguments.tokenizer,
        answer_tokens=arguments.answer_tokens,
        seed=arguments.seed,
        kv_events=arguments.kv_events,
    )


def run_until_signal(
    settings: "SimulatorSettings", count: int, place: "Place", tell: Callable[["Fleet"], None]
) -> None:
    """Run the engines until SIGINT or SIGTERM.

    Args:
        tell: hears of them when they listen.

    Raises:
        Problem: they cannot be started, or `tell` raises one.
    """
    import uvloop

    from bench.simulator.fleet import fleet

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, stopped.set)
        async with fleet(settings, count, place) as engines:
            tell(engines)
            await stopped.wait()

    try:
        uvloop.run(serve())
    except OSError as error:
        raise Problem(
            f"cannot listen on {place.host}: {error.strerror or error}; see --port and --admin-port"
        ) from None
    except ImportError as error:
        raise Problem(f"--kv-events needs the package pyzmq: {error}") from None
    except ValueError as error:
        raise Problem(f"--{error}") from None


def router_config(settings: "SimulatorSettings", urls: Sequence[str]) -> str:
    """A router configuration (docs/settings.md) for these engines, open to everybody on this machine."""
    import yaml

    from bench.simulator.for_router import routing

    pool: dict[str, object] = {
        "name": "simulated",
        "upstream_model": settings.model,
        "discovery": {"kind": "static", "endpoints": list(urls)},
    }
    if settings.kv_events and settings.tokenizer is not None:
        pool["vocabulary"] = str(settings.tokenizer / "tekken.json")  # to read the events with
    model = {
        "id": settings.model,
        "context_length": settings.context,
        "input_modalities": ["text", "image"],
        "pools": [pool],
    }
    config = {
        "listen": {"port": DEFAULT_PORT},
        "allow_anonymous": True,
        "models": [model],
        "routing": routing(settings),  # how fast they are, in real seconds
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


def welcome(settings: "SimulatorSettings", urls: Sequence[str], admin: str, preset: str, config: Path | None) -> str:
    """Addresses, and what to do with them."""
    from deploy.cli.up import command

    faster = 1 / settings.time_scale
    speed = "" if math.isclose(faster, 1) else f", {faster:g} times as fast as a real one"
    told = WITHOUT_CONFIG if config is None else WITH_CONFIG.format(file=config, command=command(), port=DEFAULT_PORT)
    return WELCOME.format(
        count=len(urls),
        hardware=preset,
        kv_tokens=settings.kv_tokens,
        speed=speed,
        engines="\n".join(f"  {number}  {url}" for number, url in enumerate(urls)),
        model=settings.model,
        admin=admin,
        config=told,
        first=urls[0],
    )


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0 and up to 100")
    return scale


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise Problem(f"--config {file}: {error.strerror}") from None
