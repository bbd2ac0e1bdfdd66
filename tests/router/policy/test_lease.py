from router.policy.attempt import Attempt
from router.policy.catalog import Endpoint, EndpointId, Pool
from router.policy.deadline import Deadlines
from router.policy.lease import Lease
from router.policy.outcome import Outcome, Usage, Verdict

ATTEMPT = Attempt(1, Pool("p", "m", "m"), Endpoint(EndpointId("e1"), "http://e1"), Deadlines())


class World:
    def __init__(self) -> None:
        self.events: list[object] = []
        self.lease = Lease(
            ATTEMPT,
            on_prompt_read=lambda: self.events.append("read"),
            on_first_token=lambda: self.events.append("first token"),
            release=lambda outcome, usage: self.events.append((outcome.verdict, usage)),
            settle=lambda attempt, outcome, usage: self.events.append((attempt, outcome, usage)),
        )


def test_a_lease_ends_once_and_the_first_end_counts() -> None:
    world = World()
    assert repr(world.lease) == "Lease(e1, held)"
    world.lease.commit()
    world.lease.end(Outcome(Verdict.OK), Usage(3, 4))
    world.lease.end(Outcome(Verdict.CANCELLED))
    assert repr(world.lease) == "Lease(e1, ended)"
    assert world.events == [
        "read",
        "first token",
        (Verdict.OK, Usage(3, 4)),
        (ATTEMPT, Outcome(Verdict.OK), Usage(3, 4)),
    ]


def test_a_first_token_comes_once() -> None:
    world = World()
    world.lease.commit()
    world.lease.commit()
    assert world.events == ["read", "first token"]


def test_a_prompt_may_be_presumed_to_be_read_before_its_first_token() -> None:
    world = World()
    world.lease.presume_read()
    assert world.events == ["read"]


def test_after_its_end_nothing_more_is_told() -> None:
    world = World()
    world.lease.end(Outcome(Verdict.CANCELLED))
    told = list(world.events)
    world.lease.commit()
    world.lease.presume_read()
    assert world.events == told
