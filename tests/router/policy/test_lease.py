from router.policy.attempt import Attempt
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.lease import Lease
from router.policy.outcome import Outcome, Usage, Verdict

ATTEMPT = Attempt(1, Pool("p", "m", "m"), Endpoint(EndpointId("e1"), "http://e1"), Deadlines())


def test_a_lease_ends_once_and_the_first_end_counts() -> None:
    events: list[object] = []
    lease = Lease(
        ATTEMPT,
        lambda: events.append("first token"),
        (events.append,),
        lambda attempt, outcome, usage: events.append((attempt, outcome, usage)),
    )
    assert repr(lease) == "Lease(e1, held)"
    lease.commit()
    lease.end(Outcome(Verdict.OK), Usage(3, 4))
    lease.end(Outcome(Verdict.CANCELLED))
    assert repr(lease) == "Lease(e1, ended)"
    assert events == ["first token", Outcome(Verdict.OK), (ATTEMPT, Outcome(Verdict.OK), Usage(3, 4))]
