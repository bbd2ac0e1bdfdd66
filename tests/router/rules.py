"""Rules to route by, all real and with their defaults, for tests that are about something else."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.config import parse
from router.learnt import Learnt
from router.policies import Policies
from router.policy.adapters import Adapters
from router.policy.admission import Admission, AdmissionSettings
from router.policy.attempt import Attempt
from router.policy.balancers import BalancerSettings, Name, make
from router.policy.breaker import BreakerSettings
from router.policy.breakers import Breakers
from router.policy.call import Call
from router.policy.catalog import Endpoint, EndpointId
from router.policy.deadline import Deadlines
from router.policy.fair_queue import FairQueue, FairQueueSettings
from router.policy.forecast import Forecast, ForecastSettings
from router.policy.hedge import Hedges, HedgeSettings
from router.policy.length import Lengths
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.picker import Picker
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.policy.retry import RetryPolicy, RetrySettings
from router.policy.retry_budget import RetryBudget, RetryBudgetSettings
from router.policy.route import Rules
from router.policy.slow_start import SlowStart, SlowStartSettings
from router.shared import Holder, Shared
from router.upstream.directory import Directory

ALL_TAKEN = AdmissionSettings(saturated_s=None)
PATIENT = Deadlines()
ROOMY = FairQueueSettings()
UNHEDGED = HedgeSettings()


@dataclass
class Seen:
    """An observer that keeps what it is told."""

    settled: list[tuple[int, Verdict, Usage | None]] = field(default_factory=list)
    first_tokens: list[tuple[EndpointId, float]] = field(default_factory=list)
    counted: list[Usage] = field(default_factory=list)

    def on_settle(self, attempt: Attempt, outcome: Outcome, usage: Usage | None) -> None:
        self.settled.append((attempt.number, outcome.verdict, usage))

    def on_first_token(self, attempt: Attempt, predicted_s: float, seconds: float) -> None:
        self.first_tokens.append((attempt.endpoint.id, seconds))

    def on_counted(self, attempt: Attempt, call: Call, cached_tokens: int, usage: Usage) -> None:
        self.counted.append(usage)


def picker(
    *,
    load: TokenLoad,
    index: PrefixIndex,
    adapters: Adapters,
    balancer: Name = "shadow-price",
    admission: AdmissionSettings = ALL_TAKEN,
    rate: float = 1_000.0,
    first_token_s: float = 60.0,
    adapter: str | None = None,
) -> Picker:
    """One that computes `rate` prompt tokens per second and has no overhead."""
    rng = random.Random(1)
    return Picker(
        name=balancer,
        balancer=make(balancer, BalancerSettings(), rng),
        admission=Admission(admission, first_token_s),
        forecast=Forecast(ForecastSettings(prefill_tokens_per_s=rate, overhead_s=0.0)),
        load=load,
        index=index,
        slow_start=SlowStart(SlowStartSettings()),
        adapters=adapters,
        rng=rng,
        adapter=adapter,
    )


def rules(
    endpoints: Callable[[str], Sequence[Endpoint]],
    *,
    observer: Seen,
    load: TokenLoad,
    deadlines: Deadlines = PATIENT,
    max_attempts: int = 3,
    floor_per_s: float = 10.0,
    admission: AdmissionSettings = ALL_TAKEN,
    queue: FairQueueSettings = ROOMY,
    hedge: HedgeSettings = UNHEDGED,
    waiting_room_s: float = 0.0,
    announce: Callable[[EndpointId, Sequence[int]], None] = lambda endpoint_id, hashes: None,
    adapter: str | None = None,
) -> Rules:
    """For pools that differ in nothing but their endpoints."""
    index, adapters = PrefixIndex(PrefixSettings()), Adapters()
    one = picker(
        load=load,
        index=index,
        adapters=adapters,
        admission=admission,
        first_token_s=deadlines.first_token_s,
        adapter=adapter,
    )
    queues: dict[str, FairQueue] = {}
    hedges = Hedges(hedge)
    return Rules(
        endpoints=endpoints,
        picker=lambda pool: one,
        queue=lambda pool: queues.setdefault(pool, FairQueue(queue)),
        hedges=lambda pool: hedges,
        deadlines=lambda pool: deadlines,
        breakers=Breakers(BreakerSettings()),
        load=load,
        index=index,
        lengths=Lengths(),
        adapters=adapters,
        retry=RetryPolicy(RetrySettings(max_attempts=max_attempts)),
        retry_budget=RetryBudget(RetryBudgetSettings(floor_per_s=floor_per_s)),
        observer=observer,
        announce=announce,
        waiting_room_s=waiting_room_s,
    )


def policies(**settings: Any) -> Policies:
    """As a router with one pool, `local`, has them."""
    pool = {
        "name": "local",
        "upstream_model": "eyes",
        "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:1"]},
    }
    model = {"id": "m/eyes", "context_length": 8192, "pools": [pool]}
    config = parse({"allow_anonymous": True, "models": [model], **settings}, source="test")
    directory = Directory(clock=lambda: 0.0)
    return Policies(
        config,
        Learnt(config, directory, clock=lambda: 0.0),
        Holder(Shared()),
        slots={"local": "local"},
        endpoints=directory.endpoints,
        observer=Seen(),
        rng=random.Random(1),
    )
