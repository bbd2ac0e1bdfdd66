"""The load generator: a process of its own, told what to do by one JSON object, answering with another.

`python -m bench.load '<job>'`. Four kinds of load, because each figure needs another: CPU per request comes from
saturation, latency from a low rate, CPU per token and memory from many open streams. The process under test is only
watched from outside, by its CPU time and memory around the window.

Rates are open loop: requests start when they are due whether or not earlier ones have been answered, and a latency
counts from when the request was due, so a stall is seen by all the requests it delays (no coordinated omission). Only
what the event loop's timers are off by is left out of it.
"""

import asyncio
import random
import sys
from collections.abc import Sequence
from functools import partial
from time import monotonic

import msgspec
import uvloop

from bench.bodies import Body
from bench.connection import Connection
from bench.jobs import Pace, Paced, Saturate, Saturated, Stream, Streamed, Target
from bench.proc import Process

TIMER_S = 0.002  # libuv's timers count milliseconds: a request may start that much early or late


async def connect(address: str) -> Connection:
    host, _, port = address.rpartition(":")
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, int(port))
    return connection


async def saturate(job: Saturate) -> Saturated:
    raw = job.target.request(job.body, max_tokens=64, stream=False)
    connections = [await connect(job.target.address) for _ in range(job.connections)]
    failures: list[str] = []
    done = 0

    def on_done(connection: Connection) -> None:
        nonlocal done
        done += 1
        if connection.failure is None:
            connection.ask(raw, is_stream=False, on_done=on_done)
        else:
            failures.append(connection.failure)

    for connection in connections:
        connection.ask(raw, is_stream=False, on_done=on_done)
    await asyncio.sleep(job.warm_s)
    process = Process(job.pid)
    started, cpu_s, before = monotonic(), process.cpu_s(), done
    await asyncio.sleep(job.window_s)
    result = Saturated(done - before, monotonic() - started, process.cpu_s() - cpu_s, failures)
    for connection in connections:
        connection.close()
    return result


async def stream(job: Stream) -> Streamed:
    raw = job.target.request(Body.SMALL, max_tokens=100_000, stream=True)  # never done: cut off at the end
    process = Process(job.pid)
    failures: list[str] = []

    def on_done(connection: Connection) -> None:
        failures.append(connection.failure or "a stream ended by itself")

    process.reset_peak()
    before_mb = process.resident_mb()
    connections: list[Connection] = []
    for number in range(job.streams):
        connection = await connect(job.target.address)
        connection.ask(raw, is_stream=True, on_done=on_done)
        connections.append(connection)
        if number % 10 == 9:
            await asyncio.sleep(job.ramp_s * 10 / job.streams)
    if silent := await _silent(connections, job.patience_s):
        failures.append(f"{silent} of {job.streams} streams had no token {job.patience_s} s after the last began")
    await asyncio.sleep(job.settle_s)
    started, cpu_s = monotonic(), process.cpu_s()
    before = sum(connection.events for connection in connections)
    await asyncio.sleep(job.window_s)
    tokens = sum(connection.events for connection in connections) - before
    seconds, cpu_s = monotonic() - started, process.cpu_s() - cpu_s
    result = Streamed(tokens, seconds, cpu_s, before_mb, process.peak_mb(), list(failures))
    for connection in connections:
        connection.close()
    return result


async def _silent(connections: Sequence[Connection], patience_s: float) -> int:
    """How many streams have no token yet, once all have one or patience has ended."""
    give_up_at = monotonic() + patience_s
    while silent := sum(connection.events == 0 and connection.failure is None for connection in connections):
        if monotonic() >= give_up_at:
            break
        await asyncio.sleep(0.05)
    return silent


async def pace(job: Pace) -> Paced:
    failures: list[str] = []
    begin = monotonic() + 0.1
    latencies = await asyncio.gather(
        *(_pace_one(target, job, begin, number, failures) for number, target in enumerate(job.targets))
    )
    return Paced(list(latencies), failures)


def arrivals(per_s: float, seconds: float, rng: random.Random) -> list[float]:
    """When requests are due: a Poisson process of that rate, in seconds from its start."""
    due: list[float] = []
    at = rng.expovariate(per_s)
    while at < seconds:
        due.append(at)
        at += rng.expovariate(per_s)
    return due


async def _pace_one(target: Target, job: Pace, begin: float, number: int, failures: list[str]) -> list[float]:
    raw = target.request(Body.SMALL, max_tokens=job.max_tokens, stream=True)
    idle = [await connect(target.address) for _ in range(16)]  # so that a latency holds no TCP handshake
    latencies: list[float] = []
    due = arrivals(job.per_s, job.warm_s + job.window_s, random.Random(f"{job.seed} {number}"))
    all_done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if not due:
        all_done.set_result(None)
    left = len(due)

    def on_done(is_warm: bool, since: float, connection: Connection) -> None:
        nonlocal left
        left -= 1
        if connection.failure is not None:
            failures.append(connection.failure)
        elif is_warm:
            latencies.append((connection.first_event_at - since) * 1000)
        if connection.is_open:
            idle.append(connection)
        if left == 0:
            all_done.set_result(None)

    for offset in due:
        at = begin + offset
        if (wait := at - monotonic()) > 0:
            await asyncio.sleep(wait)
        while idle and not idle[-1].is_open:  # the target may close what it has not used for a while
            idle.pop()
        connection = idle.pop() if idle else await connect(target.address)
        now = monotonic()
        since = now if abs(now - at) <= TIMER_S else at
        connection.ask(raw, is_stream=True, on_done=partial(on_done, offset >= job.warm_s, since))
    await asyncio.wait_for(all_done, 30.0)
    for connection in idle:
        connection.close()
    return latencies


async def run(job: Saturate | Stream | Pace) -> Saturated | Streamed | Paced:
    match job:
        case Saturate():
            return await saturate(job)
        case Stream():
            return await stream(job)
        case Pace():
            return await pace(job)


def main() -> None:
    job = msgspec.json.decode(sys.argv[1], type=Saturate | Stream | Pace)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(job))) + b"\n")


if __name__ == "__main__":
    main()
