import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.policy.attained import AttainedService
from router.policy.call import Call, Priority
from router.policy.fair_queue import FairQueue, FairQueueSettings, Fate, Ticket

BATCH, NORMAL, CRITICAL = Priority.BATCH, Priority.NORMAL, Priority.CRITICAL
LATE = 1e9


def call(account: str = "a", priority: Priority = NORMAL, tokens: int = 100) -> Call:
    return Call("m", prompt_tokens=tokens, account=account, priority=priority)


def push(
    queue: FairQueue, account: str = "a", priority: Priority = NORMAL, now: float = 0.0, tokens: int = 100
) -> Ticket:
    ticket = queue.push(call(account, priority, tokens), now, LATE)
    assert ticket is not None
    return ticket


def order(queue: FairQueue, now: float = 0.0) -> list[str]:
    """Whose turn it is until nobody waits."""
    accounts = []
    while (ticket := queue.pop(now)) is not None:
        accounts.append(ticket.call.account)
    return accounts


def test_an_empty_queue_has_nobody_to_pop() -> None:
    queue = FairQueue(FairQueueSettings())
    assert (None, 0, 0) == (queue.pop(0.0), len(queue), queue.queued_tokens)


def test_of_one_account_who_came_first_goes_first() -> None:
    queue = FairQueue(FairQueueSettings())
    tickets = [push(queue) for _ in range(5)]
    assert tickets == [queue.pop(1.0) for _ in range(5)]
    assert {Fate.POPPED} == {ticket.fate for ticket in tickets}


def test_a_higher_priority_goes_first() -> None:
    queue = FairQueue(FairQueueSettings())
    tickets = {priority: push(queue, priority=priority) for priority in (BATCH, CRITICAL, NORMAL)}
    assert [tickets[CRITICAL], tickets[NORMAL], tickets[BATCH]] == [queue.pop(0.0) for _ in range(3)]


def test_the_account_that_was_served_least_goes_first() -> None:
    queue = FairQueue(FairQueueSettings())
    for account in ("much", "little", "some"):
        push(queue, account)
    for account, tokens in (("much", 3000), ("little", 1000), ("some", 2000)):
        queue.charge(account, 0.0, uncached=tokens, completion=0)
    assert ["little", "some", "much"] == order(queue)


def test_old_service_weighs_less_than_new() -> None:
    queue = FairQueue(FairQueueSettings(half_life_s=60.0))
    push(queue, "today")
    push(queue, "yesterday")
    queue.charge("yesterday", 0.0, uncached=10_000, completion=0)
    queue.charge("today", 3000.0, uncached=100, completion=0)
    assert ["yesterday", "today"] == order(queue, 3000.0)


def test_a_backlog_of_one_account_takes_turns_with_another() -> None:
    queue = FairQueue(FairQueueSettings())
    for _ in range(6):
        push(queue, "heavy")
    for _ in range(2):
        push(queue, "light")
    assert ["heavy", "light", "heavy", "light", "heavy", "heavy", "heavy", "heavy"] == order(queue)


def test_long_prompts_come_less_often() -> None:
    queue = FairQueue(FairQueueSettings())
    for _ in range(4):
        push(queue, "long", tokens=300)
        push(queue, "short", tokens=100)
    assert ["long", "short", "short", "short", "long", "short", "long", "long"] == order(queue)


def test_who_was_away_cannot_live_on_old_credit() -> None:
    queue = FairQueue(FairQueueSettings())
    queue.charge("busy", 0.0, uncached=1000, completion=0)
    for _ in range(4):
        push(queue, "busy")
    for _ in range(4):
        push(queue, "away")
    assert ["busy", "away"] * 4 == order(queue)


def test_the_lift_lasts_beyond_one_wait() -> None:
    queue = FairQueue(FairQueueSettings())
    queue.charge("busy", 0.0, uncached=1000, completion=0)
    for _ in range(2):
        push(queue, "busy")
    push(queue, "away")
    assert ["busy", "away"] == [ticket.call.account for _ in range(2) if (ticket := queue.pop(0.0))]
    queue.charge("away", 0.0, uncached=500, completion=0)
    push(queue, "away")
    assert ["busy", "away"] == order(queue)


def test_a_lift_counts_in_its_priority_only() -> None:
    queue = FairQueue(FairQueueSettings())
    queue.charge("busy", 0.0, uncached=5000, completion=0)
    queue.charge("other", 0.0, uncached=1000, completion=0)
    push(queue, "busy", BATCH)
    push(queue, "light", BATCH)
    push(queue, "light", NORMAL)
    push(queue, "other", NORMAL)
    first = queue.pop(0.0)
    assert first is not None
    assert ("light", NORMAL) == (first.call.account, first.call.priority)


def test_a_lift_is_no_service() -> None:
    queue = FairQueue(FairQueueSettings())
    queue.charge("busy", 0.0, uncached=5000, completion=0)
    push(queue, "busy")
    push(queue, "light")
    assert {"busy": 5000.0} == queue.service(0.0)


def test_queues_may_share_what_accounts_were_served() -> None:
    first = FairQueue(FairQueueSettings())
    second = FairQueue(FairQueueSettings(), first.attained)
    for account in ("a", "b"):
        push(second, account)
    first.charge("a", 0.0, uncached=1, completion=0)
    assert ["b", "a"] == order(second)


def test_what_other_routers_served_counts() -> None:
    peers: dict[str, float] = {}
    attained = AttainedService(
        half_life_s=60.0, output_weight=2.0, max_accounts=9, peers=lambda account: peers.get(account, 0.0)
    )
    queue = FairQueue(FairQueueSettings(), attained)
    for account in ("there", "here"):
        push(queue, account)
    queue.charge("here", 0.0, uncached=1000, completion=0)
    peers["there"] = 3000.0
    assert ["here", "there"] == order(queue)


def test_lifts_are_bounded_and_the_oldest_is_forgotten() -> None:
    queue = FairQueue(FairQueueSettings(max_accounts=2))
    queue.charge("busy", 0.0, uncached=1000, completion=0)
    push(queue, "busy")
    for account in ("first", "second", "third"):
        push(queue, account)
    assert "first" == order(queue)[0]


def test_a_popped_prompt_counts_until_the_bill_comes() -> None:
    queue = FairQueue(FairQueueSettings())
    ticket = push(queue, tokens=400)
    assert ticket is queue.pop(0.0)
    assert {"a": 400.0} == queue.service(0.0)
    queue.charge("a", 0.0, uncached=100, completion=50, ticket=ticket)
    assert {"a": 200.0} == queue.service(0.0)
    queue.charge("a", 0.0, uncached=0, completion=0, ticket=ticket)
    assert {"a": 200.0} == queue.service(0.0)


def test_the_advance_has_decayed_as_well_when_it_is_taken_back() -> None:
    queue = FairQueue(FairQueueSettings(half_life_s=1.0))
    ticket = push(queue, tokens=400)
    queue.pop(0.0)
    queue.charge("a", 100.0, uncached=8, completion=0, ticket=ticket)
    assert {"a": 8.0} == queue.service(100.0)


def test_a_full_queue_refuses() -> None:
    queue = FairQueue(FairQueueSettings(capacity=3))
    for account in "abc":
        push(queue, account)
    assert None is queue.push(call("d"), 0.0, LATE)
    queue.pop(0.0)
    assert None is not queue.push(call("d"), 0.0, LATE)


def test_one_account_leaves_places_to_others() -> None:
    queue = FairQueue(FairQueueSettings(capacity=100))
    held = sum(queue.push(call("flood"), 0.0, LATE) is not None for _ in range(200))
    assert 80 == held
    assert 16 == sum(queue.push(call("late"), 0.0, LATE) is not None for _ in range(200))


def test_batch_calls_leave_half_of_the_places() -> None:
    queue = FairQueue(FairQueueSettings(capacity=10))
    assert 5 == sum(queue.push(call(str(each), BATCH), 0.0, LATE) is not None for each in range(20))
    assert 5 == sum(queue.push(call(str(each), NORMAL), 0.0, LATE) is not None for each in range(20))


@pytest.mark.parametrize("priority", Priority)
def test_a_queue_of_one_place_has_it_for_anybody(priority: Priority) -> None:
    queue = FairQueue(FairQueueSettings(capacity=1))
    assert None is not queue.push(call(priority=priority), 0.0, LATE)


def test_who_has_waited_too_long_is_dropped_at_no_cost() -> None:
    queue = FairQueue(FairQueueSettings())
    ticket = queue.push(call(), 0.0, 5.0)
    assert ticket is not None
    assert (None, Fate.EXPIRED) == (queue.pop(5.0), ticket.fate)
    assert ({}, 0, 0) == (queue.service(5.0), len(queue), queue.queued_tokens)


def test_the_dropped_leave_their_places() -> None:
    queue = FairQueue(FairQueueSettings(capacity=1))
    queue.push(call(), 0.0, 5.0)
    assert None is queue.push(call("b"), 4.9, LATE)
    assert None is not queue.push(call("b"), 5.0, LATE)


def test_a_client_that_has_gone_is_passed_over() -> None:
    queue = FairQueue(FairQueueSettings())
    first, second = push(queue), push(queue)
    queue.remove(first)
    queue.remove(first)
    assert (second, None) == (queue.pop(0.0), queue.pop(0.0))
    queue.remove(second)
    assert (Fate.REMOVED, Fate.POPPED) == (first.fate, second.fate)


def test_clients_that_come_and_go_leave_nothing_behind() -> None:
    queue = FairQueue(FairQueueSettings())
    stays = push(queue, "stays")
    for number in range(10_000):
        queue.remove(push(queue, f"a{number}"))
    assert len(queue._expiries) < 100
    assert stays is queue.pop(0.0)


def test_the_queue_tells_its_lengths() -> None:
    queue = FairQueue(FairQueueSettings())
    push(queue, priority=BATCH, tokens=5)
    push(queue, priority=NORMAL, tokens=7)
    push(queue, priority=NORMAL, tokens=11)
    assert {CRITICAL: 0, NORMAL: 2, BATCH: 1} == queue.lengths()
    assert (3, 23) == (len(queue), queue.queued_tokens)


def test_a_ticket_shows_how_it_stands() -> None:
    queue = FairQueue(FairQueueSettings())
    ticket = push(queue)
    assert "Ticket(1, 'a', waiting)" == repr(ticket)
    queue.pop(0.0)
    assert "Ticket(1, 'a', popped)" == repr(ticket)


@pytest.mark.parametrize(("uncached", "completion"), [(-1, 0), (0, -1)])
def test_a_negative_charge_is_refused(uncached: int, completion: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        FairQueue(FairQueueSettings()).charge("a", 0.0, uncached=uncached, completion=completion)


@pytest.mark.parametrize(
    "out_of_range",
    [
        {"capacity": 0},
        {"max_accounts": 0},
        {"half_life_s": 0.0},
        {"half_life_s": float("nan")},
        {"output_weight": -1.0},
        {"output_weight": float("nan")},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(out_of_range: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(out_of_range))} must"):
        FairQueueSettings(**out_of_range)  # type: ignore[arg-type]


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 5000), st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_light_account_never_waits_behind_the_whole_backlog_of_a_heavy_one(
    backlog: int, heavy_tokens: int, light_tokens: int, heavy_service: int, light_service: int
) -> None:
    queue = FairQueue(FairQueueSettings())
    queue.charge("heavy", 0.0, uncached=heavy_service, completion=0)
    queue.charge("light", 0.0, uncached=min(light_service, heavy_service), completion=0)
    for _ in range(backlog):
        push(queue, "heavy", tokens=heavy_tokens)
    push(queue, "light", tokens=light_tokens)
    assert "light" in order(queue)[:2]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 1000)), max_size=60))
def test_accounts_that_wait_all_the_time_are_served_alike(calls: list[tuple[str, int]]) -> None:
    queue = FairQueue(FairQueueSettings())
    for account, tokens in calls:
        push(queue, account, tokens=tokens)
    served = dict.fromkeys({account for account, _ in calls}, 0)
    waiting = {account: sum(each == account for each, _ in calls) for account in served}
    while all(waiting.values()) and (ticket := queue.pop(0.0)):
        served[ticket.call.account] += ticket.call.prompt_tokens
        waiting[ticket.call.account] -= 1
        assert max(served.values()) - min(served.values()) <= 1000


class AnyUse(RuleBasedStateMachine):
    """Calls of all kinds come, wait, go and are charged for, in any order, beside a plain list."""

    CAPACITY = 6

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue(FairQueueSettings(capacity=self.CAPACITY, half_life_s=5.0, max_accounts=3))
        self.now = 0.0
        self.waiting: list[Ticket] = []
        self.ended: dict[Ticket, Fate] = {}

    def end(self, ticket: Ticket, fate: Fate) -> None:
        assert fate is ticket.fate
        assert ticket not in self.ended
        self.ended[ticket] = fate
        self.waiting.remove(ticket)

    def expire(self) -> None:
        for ticket in [each for each in self.waiting if each.until <= self.now]:
            self.end(ticket, Fate.EXPIRED)

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        account=st.sampled_from("abcd"),
        priority=st.sampled_from(Priority),
        tokens=st.integers(0, 1000),
        patience_s=st.floats(0, 100),
    )
    def push(self, account: str, priority: Priority, tokens: int, patience_s: float) -> None:
        ticket = self.queue.push(call(account, priority, tokens), self.now, self.now + patience_s)
        self.expire()
        if ticket is None:
            assert self.waiting
        else:
            self.waiting.append(ticket)

    @rule()
    def pop(self) -> None:
        ticket = self.queue.pop(self.now)
        self.expire()
        assert (ticket is None) == (not self.waiting)
        if ticket is not None:
            assert max(each.call.priority for each in self.waiting) is ticket.call.priority
            of_its_own = [
                each
                for each in self.waiting
                if (each.call.account, each.call.priority) == (ticket.call.account, ticket.call.priority)
            ]
            assert of_its_own[0] is ticket
            self.end(ticket, Fate.POPPED)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.queue.remove(ticket)
        self.end(ticket, Fate.REMOVED)

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), uncached=st.integers(0, 1000))
    def settle(self, data: st.DataObject, uncached: int) -> None:
        ticket = data.draw(st.sampled_from(list(self.ended)))
        self.queue.remove(ticket)
        self.queue.charge(ticket.call.account, self.now, uncached=uncached, completion=0, ticket=ticket)

    @invariant()
    def it_stays_within_its_bound_and_every_wait_ends_once(self) -> None:
        assert len(self.waiting) == len(self.queue) <= self.CAPACITY
        assert sum(each.call.prompt_tokens for each in self.waiting) == self.queue.queued_tokens
        assert len(self.waiting) == sum(self.queue.lengths().values())
        assert {None} >= {each.fate for each in self.waiting}
        assert self.ended == {each: each.fate for each in self.ended}

    @invariant()
    def service_is_bounded_and_never_negative(self) -> None:
        service = self.queue.service(self.now)
        assert len(service) <= 3
        assert min(service.values(), default=1.0) >= 1.0


AnyUse.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestAnyUse = AnyUse.TestCase
