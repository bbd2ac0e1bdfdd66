"""The fleet in virtual time: arrivals, engines and routers, one event after the other.

    the next arrival ─▶ a router decides ─▶ an engine's queue ─▶ first token, end ─▶ the router's ledger

A heap holds when each engine must be looked at next (its steps are skipped where nothing can happen), when the routers
tell each other and when those who wait are called. Network time is nothing, and nobody fails. The same seed gives the
same run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from bench.fleet.gossip import Bus, Several
from bench.fleet.replica import NEVER, Replica
from bench.fleet.router import Clock, Policy, Router
from bench.fleet.tally import Promise, Result, Tally
from bench.fleet.visit import Visit
from bench.physics.hardware import Hardware
from bench.traces.arrival import Arrival
from router.policy.catalog import Endpoint, EndpointId

LOBBY_S = 0.01  # between two looks whether those who wait may go on; the lobby's own
PROBE_S = 1.0  # between two readings of the engines' figures; the router's default
ALONE_S = 0.25  # the same, while a router hears none of the others
_ARRIVAL, _ENGINE, _LOBBY, _PROBE, _TELL = range(5)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Engines that are all alike, and their routers. Raises ValueError when a field is out of its range."""

    hardware: Hardware
    replicas: int
    chunk: int = 2048  # vLLM's max_num_batched_tokens
    most_running: int = 1024  # vLLM's max_num_seqs
    block_tokens: int = 512  # of the trace
    routers: Several = field(default_factory=Several)
    slow: dict[int, float] = field(default_factory=dict)  # replicas whose steps take so many times as long

    def __post_init__(self) -> None:
        if self.replicas < 1:
            raise ValueError(f"replicas must be at least 1, got {self.replicas}")


def simulate(
    fleet: Fleet,
    arrivals: Iterable[Arrival],
    policy: Policy,
    *,
    seed: int = 0,
    promise: Promise | None = None,
    paces: tuple[float, ...] = (),
) -> Result:
    """Run until the last answer has ended."""
    run = _Run(fleet, policy, Random(seed), Tally(promise or Promise(), fleet.hardware.peak_rate(fleet.chunk), paces))
    return run.through(arrivals)


class _Run:
    def __init__(self, fleet: Fleet, policy: Policy, rng: Random, tally: Tally) -> None:
        self._clock = Clock()
        self._tally = tally
        self._rng = rng
        self._events: list[tuple[float, int, int]] = []  # when, what, whose
        self._sent: list[tuple[Visit, EndpointId]] = []
        endpoints = [
            Endpoint(EndpointId(f"replica-{number}"), f"http://replica-{number}") for number in range(fleet.replicas)
        ]
        self._rows = {endpoint.id: row for row, endpoint in enumerate(endpoints)}
        self._replicas = [
            Replica(
                fleet.hardware,
                chunk=fleet.chunk,
                most_running=min(fleet.most_running, fleet.chunk - 1),
                block_tokens=fleet.block_tokens,
                on_first_token=self._on_first_token,
                on_end=self._on_end,
                slowdown=fleet.slow.get(number, 1.0),
            )
            for number in range(fleet.replicas)
        ]
        self._by_id = {endpoint.id: replica for endpoint, replica in zip(endpoints, self._replicas, strict=True)}
        self._bus = Bus(fleet.routers, [endpoint.id for endpoint in endpoints], rng)
        self._routers = [
            Router(
                policy,
                endpoints,
                cache_blocks=fleet.hardware.kv_tokens // fleet.block_tokens,
                clock=self._clock,
                rng=Random(rng.random()),
                announce=self._bus.announcer(number),
                apart=self._bus.apart(number),
                on_sent=self._on_sent,
                on_refused=self._on_refused,
                on_decided=tally.decided,
            )
            for number in range(fleet.routers.count)
        ]
        self._bus.connect(self._routers)
        if policy.is_exact:
            for endpoint, replica in zip(endpoints, self._replicas, strict=True):
                self._listen(endpoint.id, replica)
        self._calls_lobby = False

    def through(self, arrivals: Iterable[Arrival]) -> Result:
        clock, tally, events, replicas = self._clock, self._tally, self._events, self._replicas
        stream = iter(arrivals)
        arrival = next(stream, None)
        several = len(self._routers) > 1
        if several:
            for number in range(len(self._routers)):
                heappush(events, (PROBE_S, _PROBE, number))
                heappush(events, (self._bus.first_telling_s(number), _TELL, number))
        while arrival is not None or tally.answered + tally.shed < tally.offered:
            if arrival is not None and (not events or arrival.at_s < events[0][0]):
                clock.now = arrival.at_s
                tally.arrived(arrival.at_s)
                self._arrive(Visit(arrival))
                arrival = next(stream, None)
                continue
            if not events:
                break  # somebody is lost
            now, kind, number = heappop(events)
            if kind == _ENGINE:
                replica = replicas[number]
                if replica.due == now:  # else it was cut short meanwhile
                    clock.now = now
                    replica.advance()
                    if replica.due != NEVER:
                        heappush(events, (replica.due, _ENGINE, number))
                continue
            clock.now = now
            if kind == _LOBBY:
                self._call_lobby()
            elif kind == _TELL:
                self._bus.tell(number, now)
                heappush(events, (now + self._bus.period_s, _TELL, number))
            else:
                is_alone = self._bus.is_alone(number, now)
                self._routers[number].read_engines(self._by_id, is_alone=is_alone)
                heappush(events, (now + (ALONE_S if is_alone else PROBE_S), _PROBE, number))
        return tally.result(max(len(router.index) for router in self._routers))

    def _arrive(self, visit: Visit) -> None:
        if not self._replicas[0].fits(visit):
            self._on_refused(visit)
            return
        router = self._routers[self._rng.randrange(len(self._routers)) if len(self._routers) > 1 else 0]
        router.arrive(visit)
        if router.waiting and not self._calls_lobby:
            self._calls_lobby = True
            heappush(self._events, (self._clock.now + LOBBY_S, _LOBBY, 0))

    def _call_lobby(self) -> None:
        waiting = 0
        for router in self._routers:
            router.call_waiting()
            waiting += router.waiting
        self._tally.most_waiting = max(self._tally.most_waiting, waiting)
        self._calls_lobby = waiting > 0
        if waiting:
            heappush(self._events, (self._clock.now + LOBBY_S, _LOBBY, 0))

    def _on_sent(self, visit: Visit, endpoint_id: EndpointId) -> None:
        row = self._rows[endpoint_id]
        replica = self._replicas[row]
        if replica.submit(visit, self._clock.now):
            heappush(self._events, (replica.due, _ENGINE, row))

    def _on_refused(self, visit: Visit) -> None:
        self._tally.shed += 1

    def _on_first_token(self, visit: Visit, now: float) -> None:
        assert visit.router is not None
        visit.router.first_token(visit)

    def _on_end(self, visit: Visit, now: float) -> None:
        assert visit.router is not None
        visit.router.end(visit)
        self._tally.ended(visit.at_s, visit.first_s, now, visit.prompt, visit.cached, visit.output)

    def _listen(self, endpoint_id: EndpointId, replica: Replica) -> None:
        """The engine's KV events go to every router."""
        routers = self._routers

        def stored(blocks: object) -> None:
            for router in routers:
                router.index.stored(endpoint_id, blocks)  # type: ignore[arg-type]

        def removed(blocks: object) -> None:
            for router in routers:
                router.index.removed(endpoint_id, blocks)  # type: ignore[arg-type]

        replica.on_stored, replica.on_removed = stored, removed
