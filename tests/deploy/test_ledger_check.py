import pytest

from deploy.ledger_check import Balance, Slack, balances
from router.store.meter import Increase
from router.store.sums import PoolSum

USUAL = Slack(32, 0)


def rows(pool: str, tokens: int, *, count: int = 1, is_exact: bool = True) -> PoolSum:
    return PoolSum(pool, is_exact, count, 0, 0, tokens, 0)


def only(*sums: PoolSum, engines: int, given_up: int = 0, slack: Slack = USUAL) -> Balance:
    (balance,) = balances(sums, [Increase("p", 0, engines)], given_up, slack)
    return balance


def test_equal_to_the_token_is_explained_and_one_more_or_less_is_not() -> None:
    for engines, is_explained in ((99, False), (100, True), (101, False)):
        balance = only(rows("p", 100), engines=engines)
        assert (engines - 100, is_explained) == (balance.difference, balance.is_explained)


def test_answers_that_were_cut_short_explain_so_many_tokens_each() -> None:
    exact, cut = rows("p", 100, count=5), rows("p", 20, count=2, is_exact=False)
    assert only(exact, cut, engines=184).is_explained
    assert not only(exact, cut, engines=185).is_explained
    assert not only(exact, cut, engines=119).is_explained


def test_attempts_that_were_given_up_explain_as_many_in_whatever_pool() -> None:
    assert only(rows("p", 100), engines=132, given_up=1).is_explained
    assert not only(rows("p", 100), engines=133, given_up=1).is_explained


def test_engines_may_have_died_with_tokens_that_nobody_read_only_if_that_is_said() -> None:
    assert only(rows("p", 100), engines=90, slack=Slack(0, 10)).is_explained
    assert not only(rows("p", 100), engines=89, slack=Slack(0, 10)).is_explained


def test_every_pool_that_anything_is_known_of_is_told_and_rows_of_none_are_not() -> None:
    found = balances([rows("", 0), rows("b", 5)], [Increase("a", 0, 7)], 0, Slack(32, 0))
    assert [("a", 7, 0, False), ("b", None, 5, True)] == [
        (each.pool, each.engines, each.ledger, each.is_explained) for each in found
    ]
    assert found[1].difference is None


@pytest.mark.parametrize("cut", [0, 3])
def test_what_is_allowed_grows_with_what_was_cut(cut: int) -> None:
    sums = [rows("p", 1, count=cut, is_exact=False)] if cut else []
    assert 10 * cut == only(*sums, engines=1, slack=Slack(10, 0)).allowed
