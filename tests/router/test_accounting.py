"""What is reserved, borrowed, settled and written of one request; no clock, no disk, no database."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from router.accounting import Ticket
from router.generation import Generation
from router.policy.catalog import Pool, Price
from router.policy.key import NANO, Budget, Interval, Key, Rates, Scope
from router.policy.lending import Grant, Want
from router.policy.outcome import Outcome, Usage, Verdict
from router.policy.quota import Quotas, QuotaSettings
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.messages_api.count import COUNT
from router.protocol.request import parse_chat
from tests.router.accounts import Journal, accounting

POOL = Pool("local", "m/eyes", "eyes", context_length=1_000, price=Price(prompt=1e-6, completion=2e-6))
LIMITED = Key("k", "limited", budgets=(Budget(Scope.KEY, "key:k", Interval.DAILY, NANO),))
OPEN = Key("o", "open")


def generation(key: Key, ticket: Ticket, **fields: Any) -> Generation:
    body = {"model": "m/eyes", "messages": [{"role": "user", "content": "What is it?"}], **fields}
    return Generation(
        "gen-1", parse_chat(json.dumps(body).encode(), Limits()), 0.0, 1_000_000, key, ticket, pools=(POOL,)
    )


class Bank:
    """Grants everything, a part, or is away."""

    def __init__(self, quotas: Quotas, *, grants: bool = True, is_away: bool = False) -> None:
        self.quotas, self.grants, self.is_away = quotas, grants, is_away
        self.asked: list[Want] = []

    async def borrow(self, wants: Sequence[Want]) -> bool:
        self.asked += wants
        for want in wants if not self.is_away else ():
            granted = want.wish if self.grants else 0
            spent = 0 if self.grants else want.limit
            self.quotas.allowances.granted(Grant(want.window, granted, granted, spent), 0.0)
        return not self.is_away


def opened(key: Key, **bank: bool) -> tuple[Generation, Journal, Bank, Quotas]:
    """A generation that was opened with an account of its own."""
    quotas, journal = Quotas(QuotaSettings()), Journal()
    lender = Bank(quotas, **bank)
    accounts = accounting(journal, quotas=quotas, borrow=lender.borrow)
    one = generation(key, accounts.admit(key), max_tokens=10)
    asyncio.run(one.ticket.open(one))
    return one, journal, lender, quotas


def test_a_key_without_limits_borrows_nothing_and_is_written() -> None:
    one, journal, bank, quotas = opened(OPEN)
    one.outcome, one.usage, one.pool, one.sends = Outcome(Verdict.OK, 200), Usage(7, 2, 3), POOL, 1
    one.finish_reason = "stop"
    one.ticket.close(one)
    row = journal.ended[0]
    assert [] == bank.asked
    assert ("gen-1", "boot", "o", "default", "ok") == (row.id, row.router, row.key, row.workspace, row.status)
    assert (7, 2, 3, 11_000, 1, True) == (
        row.prompt_tokens, row.completion_tokens, row.cached_tokens, row.cost, row.attempts, row.is_exact,
    )  # fmt: skip
    assert (0, 0) == (quotas.in_flight, quotas.reserved)


def test_a_key_with_a_limit_borrows_what_its_request_may_cost() -> None:
    one, _, bank, quotas = opened(LIMITED)
    prompt = one.request.call.prompt_tokens
    assert [prompt * 1_000 + 10 * 2_000] == [want.need for want in bank.asked]
    assert quotas.reserved == bank.asked[0].need
    one.ticket.close(one)
    assert 0 == quotas.reserved


def test_closing_twice_counts_once() -> None:
    one, journal, _, _ = opened(OPEN)
    one.ticket.close(one)
    one.ticket.close(one)
    assert 1 == len(journal.ended)


def test_a_request_that_failed_by_nobodys_foresight_is_written_and_free() -> None:
    one, journal, _, _ = opened(OPEN)
    one.ticket.close(one)
    assert ("unavailable", 0, False) == (journal.ended[0].status, journal.ended[0].cost, journal.ended[0].is_exact)


@pytest.mark.parametrize(("said", "finish_reason"), [(0, None), (5, "error"), (0, "error")])
def test_an_answer_that_says_nothing_or_ends_in_an_error_is_free(said: int, finish_reason: str | None) -> None:
    one, journal, _, _ = opened(OPEN)
    one.outcome, one.usage, one.pool, one.sends = Outcome(Verdict.OK, 200), Usage(7, said), POOL, 1
    one.finish_reason = finish_reason
    one.ticket.close(one)
    assert (7, 0) == (journal.ended[0].prompt_tokens, journal.ended[0].cost)


def test_what_engines_only_look_at_reserves_nothing_and_is_not_written() -> None:
    quotas, journal = Quotas(QuotaSettings()), Journal()
    accounts = accounting(journal, quotas=quotas)
    one = generation(LIMITED, accounts.admit(LIMITED))
    one.request.kind = COUNT
    asyncio.run(one.ticket.open(one))
    assert (1, 0) == (quotas.in_flight, quotas.reserved)
    one.ticket.close(one)
    assert (0, [], []) == (quotas.in_flight, journal.begun, journal.ended)


def test_a_spent_limit_refuses_before_anything_is_sent_or_written() -> None:
    quotas, journal = Quotas(QuotaSettings()), Journal()
    accounts = accounting(journal, quotas=quotas, borrow=Bank(quotas, grants=False).borrow)
    one = generation(LIMITED, accounts.admit(LIMITED))
    with pytest.raises(ApiError) as caught:
        asyncio.run(one.ticket.open(one))
    one.ticket.close(one)
    assert 402 == caught.value.status
    assert ([], [], 0) == (journal.begun, journal.ended, quotas.in_flight)


@pytest.mark.parametrize("has_bank", [True, False])
def test_a_limit_that_nobody_can_be_asked_about_refuses_for_a_while(has_bank: bool) -> None:
    quotas = Quotas(QuotaSettings())
    bank = Bank(quotas, is_away=True)
    accounts = accounting(quotas=quotas, borrow=bank.borrow if has_bank else None)
    one = generation(LIMITED, accounts.admit(LIMITED))
    with pytest.raises(ApiError) as caught:
        asyncio.run(one.ticket.open(one))
    one.ticket.close(one)
    assert (503, "budget_unknown", 0) == (caught.value.status, caught.value.metadata["reason"], quotas.in_flight)


def test_who_comes_too_late_each_time_that_something_is_lent_may_come_again() -> None:
    quotas = Quotas(QuotaSettings())

    async def promise(wants: Sequence[Want]) -> bool:
        return True

    accounts = accounting(quotas=quotas, borrow=promise)
    one = generation(LIMITED, accounts.admit(LIMITED))
    with pytest.raises(ApiError) as caught:
        asyncio.run(one.ticket.open(one))
    one.ticket.close(one)
    assert (402, 0) == (caught.value.status, quotas.in_flight)
    assert "in_flight_budget_exhausted" == caught.value.metadata["reason"]


def test_a_full_ledger_lets_nobody_in() -> None:
    journal = Journal()
    journal.has_room = False
    with pytest.raises(ApiError) as caught:
        accounting(journal).admit(OPEN)
    assert (503, "ledger_full") == (caught.value.status, caught.value.metadata["reason"])


def test_a_rate_is_refused_and_shown() -> None:
    accounts = accounting()
    key = Key("r", "rated", rates=Rates(requests_per_min=1))
    ticket = accounts.admit(key)
    assert ticket.standing is not None
    assert (1, 0) == (ticket.standing.limit, ticket.standing.remaining)
    with pytest.raises(ApiError) as caught:
        accounts.admit(key)
    ticket.close()
    assert (429, None) == (caught.value.status, ticket.standing)


def test_what_was_refused_unread_is_given_back() -> None:
    accounts = accounting()
    accounts.admit(OPEN).close()
    assert 0 == accounts.quotas.in_flight
