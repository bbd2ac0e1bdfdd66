"""What it costs routers to tell each other their state: CPU a tick, and bytes.

`python -m bench.gossip`; no sockets, a few seconds. Every figure changes at every tick, which is more than happens.
What the prefix index does with the inserts is not in it.
"""

import argparse
import random
import statistics
import time

from router.policy.catalog import EndpointId
from router.policy.gossip import Part
from router.policy.load import Load
from router.policy.mesh import Mesh
from router.protocol.gossip import GossipWire
from router.protocol.outbox import Outbox

ROUTERS = 16
ACCOUNTS = 32
CASES = [(endpoints, prompts) for endpoints in (16, 256) for prompts in (0, 2, 20)]


def case(endpoints: int, prompts: int, blocks: int, ticks: int) -> str:
    """A row of the table."""
    rng = random.Random(0)
    wire = GossipWire(b"a secret for a benchmark")
    names = [EndpointId(f"10.0.{number // 250}.{number % 250}:30000") for number in range(endpoints)]
    outbox = Outbox("router-1", 1, started=0.0)
    mesh = Mesh(boot_id=0, set_peers=lambda _, load: None, insert=lambda _, hashes: None)
    mesh.know(names)
    service = [(f"account-{number}", 1_000.0 * number) for number in range(ACCOUNTS)]
    telling, hearing, datagrams = [], [], [b""]
    for tick in range(ticks):
        loads = [(name, Load(rng.randrange(60_000), rng.randrange(1, 60), rng.randrange(10**6))) for name in names]
        for _ in range(prompts):
            outbox.insert(rng.choice(names), [rng.getrandbits(64) for _ in range(blocks)])
        started = time.process_time()
        parts = outbox.tick(0.05 * tick, loads=loads, service=service, heard=range(ROUTERS), routers=ROUTERS)
        datagrams = [wire.encode(part) for part in parts]
        told = time.process_time()
        for datagram in datagrams:
            part = wire.decode(datagram)
            assert isinstance(part, Part)
            assert mesh.hear(part, 0.05 * tick) is None
        telling.append(told - started)
        hearing.append(time.process_time() - told)
    figures = " | ".join(f"{statistics.median(found[2:]) * 1e3:.2f}" for found in (telling, hearing))
    return f"| {endpoints} | {prompts} x {blocks} | {len(datagrams)} | {sum(map(len, datagrams)):,} | {figures} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gossip", description=__doc__)
    parser.add_argument("--blocks", type=int, default=200, help="blocks of a prompt (default: %(default)s)")
    parser.add_argument("--ticks", type=int, default=200, help="ticks to measure (default: %(default)s)")
    chosen = parser.parse_args()
    print(f"{ROUTERS} routers, {ACCOUNTS} accounts; CPU ms, median of {chosen.ticks} ticks\n")
    print("| endpoints | prompts a tick x blocks | datagrams | bytes | to tell, once a tick | to hear, per router |")
    print("|---|---|---|---|---|---|")
    for endpoints, prompts in CASES:
        print(case(endpoints, prompts, chosen.blocks, chosen.ticks))


if __name__ == "__main__":
    main()
