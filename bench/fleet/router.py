"""One router of the simulated fleet: the production flow (`router.policy.route`) with virtual time put in.

All that decides is the router's own code. Here is only what its gateway, lobby and probes do around it: perform a pick,
tell what came of it, call those who wait when there is room, and read the engines' figures once a second.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import thread_time

from bench.fleet.replica import Replica
from bench.fleet.visit import Visit
from router.policy.adapters import Adapters
from router.policy.admission import Admission, AdmissionSettings
from router.policy.apart import Apart
from router.policy.attempt import Attempt
from router.policy.balancers import BalancerSettings, Name, make
from router.policy.breaker import BreakerSettings
from router.policy.breakers import Breakers
from router.policy.call import Call
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.fair_queue import FairQueue, FairQueueSettings, Ticket
from router.policy.forecast import Forecast, ForecastSettings
from router.policy.hedge import Hedges, HedgeSettings
from router.policy.lease import Pick
from router.policy.length import Lengths
from router.policy.load import TokenLoad
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.picker import Picker
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.policy.retry import RetryPolicy, RetrySettings
from router.policy.retry_budget import RetryBudget, RetryBudgetSettings
from router.policy.route import Route, Rules, Wait, has_room, route
from router.policy.slow_start import SlowStart, SlowStartSettings

POOL = Pool(name="pool", model="model", upstream_model="model")
DONE = Outcome(Verdict.OK, 200)
FOREVER_S = 1e9
# No attempt is given up: a client that waits is counted as late, and its work is done all the same.
PATIENT = Deadlines(first_token_s=FOREVER_S, idle_s=FOREVER_S, total_s=FOREVER_S)
TAKES_ALL = AdmissionSettings(first_token_s=FOREVER_S, saturated_s=None)


@dataclass(frozen=True, slots=True)
class Policy:
    """How the routers of a run decide."""

    balancer: Name = "shadow-price"
    balancers: BalancerSettings = field(default_factory=BalancerSettings)
    admission: AdmissionSettings = TAKES_ALL
    forecast: ForecastSettings = field(default_factory=ForecastSettings)
    prefix: PrefixSettings = field(default_factory=PrefixSettings)
    queue: FairQueueSettings = field(default_factory=FairQueueSettings)
    is_exact: bool = False  # the engines tell their caches (KV events); else what was sent is believed to be there


class _Nobody:
    """An observer without metrics."""

    def on_settle(self, attempt: Attempt, outcome: Outcome, usage: Usage | None) -> None:
        pass

    def on_first_token(self, attempt: Attempt, predicted_s: float, seconds: float) -> None:
        pass

    def on_counted(self, attempt: Attempt, call: Call, cached_tokens: int, usage: Usage) -> None:
        pass


class Clock:
    """Virtual seconds; the simulation sets them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Router:
    """Decides for the requests that come to it, with its own ledger and index.

    Args:
        policy: how.
        endpoints: the engines.
        cache_blocks: prompt blocks that fit into one engine.
        clock: virtual time.
        rng: breaks ties.
        announce: tells other routers what was sent where.
        apart: what it prefers while it hears no other; None: there is none.
        on_sent: a request goes to an engine; on_refused: it goes nowhere.
        on_decided: told the CPU seconds that a decision took.
    """

    def __init__(
        self,
        policy: Policy,
        endpoints: Sequence[Endpoint],
        *,
        cache_blocks: int,
        clock: Clock,
        rng: Random,
        announce: Callable[[EndpointId, Sequence[int]], None],
        apart: Apart | None,
        on_sent: Callable[[Visit, EndpointId], None],
        on_refused: Callable[[Visit], None],
        on_decided: Callable[[float], None],
    ) -> None:
        self.load = TokenLoad()
        self.index = PrefixIndex(policy.prefix)
        self._clock = clock
        self._on_sent = on_sent
        self._on_refused = on_refused
        self._on_decided = on_decided
        self._waiting: dict[Ticket, tuple[Visit, Route]] = {}
        self._queue = FairQueue(policy.queue)
        for endpoint in endpoints:
            if policy.is_exact:
                self.index.begin_exact(endpoint.id)
            else:
                self.index.resize(endpoint.id, cache_blocks)
        picker = Picker(
            name=policy.balancer,
            balancer=make(policy.balancer, policy.balancers, rng),
            admission=Admission(policy.admission, PATIENT.first_token_s),
            forecast=Forecast(policy.forecast),
            load=self.load,
            index=self.index,
            slow_start=SlowStart(SlowStartSettings()),
            adapters=Adapters(),
            rng=rng,
            apart=apart,
        )
        hedges = Hedges(HedgeSettings())  # off, as by default
        self._rules = Rules(
            endpoints=lambda pool: endpoints,
            picker=lambda pool: picker,
            queue=lambda pool: self._queue,
            hedges=lambda pool: hedges,
            deadlines=lambda pool: PATIENT,
            breakers=Breakers(BreakerSettings()),
            load=self.load,
            index=self.index,
            lengths=Lengths(),
            adapters=Adapters(),
            retry=RetryPolicy(RetrySettings()),
            retry_budget=RetryBudget(RetryBudgetSettings()),
            observer=_Nobody(),
            announce=announce,
        )

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn here."""
        return len(self._waiting)

    def arrive(self, visit: Visit) -> None:
        """A client's request."""
        visit.router = self
        call = Call(
            model=POOL.model,
            prompt_tokens=visit.prompt,
            image_tokens=sum(visit.arrival.images),
            prefix=visit.arrival.prefix,
            stream=True,
        )
        self._go_on(visit, route(call, (POOL,), self._rules, self._clock))

    def first_token(self, visit: Visit) -> None:
        """The engine has sent its first token."""
        assert visit.lease is not None
        visit.lease.commit()

    def end(self, visit: Visit) -> None:
        """The engine has sent its last token."""
        assert visit.lease is not None
        visit.lease.end(DONE, Usage(visit.prompt, visit.output, visit.cached))

    def call_waiting(self) -> None:
        """What the lobby does every few milliseconds while anybody waits."""
        now = self._clock()
        while self._waiting and has_room(POOL.name, self._rules, now):
            ticket = self._queue.pop(now)
            if ticket is None:
                break
            self._go_on(*self._waiting.pop(ticket))
        self._queue.expire(now)
        for ticket in [ticket for ticket in self._waiting if ticket.fate is not None]:
            self._go_on(*self._waiting.pop(ticket))

    def read_engines(self, replicas: Mapping[EndpointId, Replica], *, is_alone: bool) -> None:
        """What a probe does: compare the ledger with what the engines say of themselves."""
        for endpoint_id, replica in replicas.items():
            self.load.correct(endpoint_id, running=replica.running, waiting=replica.waiting, is_alone=is_alone)

    def _go_on(self, visit: Visit, steps: Route) -> None:
        began = thread_time()
        try:
            step = next(steps)
        except StopIteration:
            self._on_refused(visit)
            return
        self._on_decided(thread_time() - began)
        if isinstance(step, Wait):
            self._waiting[step.ticket] = (visit, steps)
            return
        assert isinstance(step, Pick)
        visit.lease = step.lease
        self._on_sent(visit, step.attempt.endpoint.id)
