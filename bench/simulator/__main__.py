"""`python -m bench.simulator N [JSON]`: N engines for other programs; prints one JSON line, ends with its input.

The JSON object holds fields of SimulatorSettings, with `engine` as an object. `tramontane simulate` is for people.
"""

import asyncio
import gc
import sys

import msgspec
import uvloop

from bench.simulator.fleet import Place, fleet
from bench.simulator.settings import SimulatorSettings


async def serve(count: int, settings: SimulatorSettings) -> None:
    """Until standard input is closed."""
    async with fleet(settings, count, Place()) as engines:
        told = {"engines": engines.urls, "admin": engines.admin.listener.url}
        print(msgspec.json.encode(told).decode(), flush=True)
        gc.collect()
        gc.freeze()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    count = int(sys.argv[1])
    given = sys.argv[2] if len(sys.argv) > 2 else "{}"
    settings = msgspec.json.decode(given, type=SimulatorSettings, dec_hook=lambda kind, value: kind(value))  # a path
    uvloop.run(serve(count, settings))


if __name__ == "__main__":
    main()
