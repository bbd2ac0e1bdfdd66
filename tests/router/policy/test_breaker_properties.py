"""Any sequence of attempts, answers and waits, in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.policy.breaker import Breaker, BreakerSettings, Permit, State
from router.policy.outcome import Outcome, Phase, Verdict

OUTCOMES = st.sampled_from(
    [
        Outcome(Verdict.OK, status=200),
        Outcome(Verdict.REJECTED, status=400),
        Outcome(Verdict.RATE_LIMITED, status=429),
        Outcome(Verdict.OVERLOADED, status=503, retry_after_s=2.0),
        Outcome(Verdict.UNAVAILABLE),
        Outcome(Verdict.UNAVAILABLE, status=500),
        Outcome(Verdict.TIMEOUT, phase=Phase.FIRST_TOKEN),
        Outcome(Verdict.TIMEOUT, phase=Phase.TOTAL),
        Outcome(Verdict.BROKEN),
        Outcome(Verdict.CANCELLED),
    ]
)


class AnyUse(RuleBasedStateMachine):
    """Permits of all ages are out; those taken while available and half-open are the probes."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(BreakerSettings(minimum_volume=3))
        self.now = 0.0
        self.out: list[Permit] = []
        self.probes: list[Permit] = []

    def snapshot(self) -> tuple[State, bool, float]:
        return self.breaker.state(self.now), self.breaker.is_available(self.now), self.breaker.blocked_until(self.now)

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def acquire_if_available(self) -> None:
        if self.breaker.is_available(self.now):
            is_probe = self.breaker.state(self.now) is State.HALF_OPEN
            permit = self.breaker.acquire(self.now)
            self.out.append(permit)
            if is_probe:
                self.probes.append(permit)

    @rule()
    def acquire_in_spite_of_it(self) -> None:
        if not self.breaker.is_available(self.now):
            before = self.snapshot()
            self.out.append(self.breaker.acquire(self.now))
            if before[0] is State.HALF_OPEN and not self.breaker.is_backing_off(self.now):
                assert before == self.snapshot()

    @precondition(lambda self: self.out)
    @rule(data=st.data(), outcome=OUTCOMES, twice=st.booleans())
    def release(self, data: st.DataObject, outcome: Outcome, twice: bool) -> None:
        permit = data.draw(st.sampled_from(self.out))
        before = self.snapshot()
        is_late = permit.generation != self.breaker.generation
        self.breaker.release(permit, outcome, self.now)
        if is_late:
            assert before == self.snapshot()
        self.out.remove(permit)
        if permit in self.probes:
            self.probes.remove(permit)
        if twice:
            after = self.snapshot()
            self.breaker.release(permit, outcome, self.now)
            assert after == self.snapshot()

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def first_byte(self, data: st.DataObject) -> None:
        self.breaker.first_byte(data.draw(st.sampled_from(self.out)), self.now)

    @invariant()
    def at_most_one_probe_is_out_while_half_open(self) -> None:
        if self.breaker.state(self.now) is State.HALF_OPEN:
            current = self.breaker.generation
            assert sum(probe.generation == current for probe in self.probes) <= 1

    @invariant()
    def the_three_states_are_told_apart(self) -> None:
        state, is_available, blocked_until = self.snapshot()
        assert (state is State.CLOSED) == (self.breaker.fault is None)
        if state is State.OPEN:
            assert not is_available
        if is_available:
            assert blocked_until <= self.now


AnyUse.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestAnyUse = AnyUse.TestCase
