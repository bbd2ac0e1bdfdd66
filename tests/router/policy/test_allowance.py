import pytest

from router.policy.allowance import Allowance, AllowanceSettings
from router.policy.allowances import Allowances, together
from router.policy.key import Interval, Window
from router.policy.lending import Grant, Want
from tests.router.policy.bank import Bank

A = Window("key:a", Interval.LIFETIME, 0)
B = Window("workspace:w", Interval.DAILY, 86_400)
SETTINGS = AllowanceSettings()


def lent(limit: int, *, held: int, spent: int = 0) -> Allowances:
    """Allowances that hold part of window A."""
    allowances = Allowances(SETTINGS)
    allowances.granted(Grant(A, held, held, spent), 0.0)
    return allowances


def columns(allowances: Allowances, window: Window = A) -> tuple[int, int, int, int]:
    """What is held, reserved, unwritten and available of a window."""
    of = allowances.of(window)
    assert of is not None
    return of.held, of.reserved, of.unwritten, of.available


def test_what_is_not_held_must_be_borrowed() -> None:
    allowances = Allowances(SETTINGS)
    assert (Want(A, 100, 30, 30),) == allowances.reserve({A: 100}, 30, 0.0)
    assert (0, 0, 0, 0) == columns(allowances)


def test_what_was_borrowed_can_be_reserved_and_the_rest_need_not_be_asked_for() -> None:
    allowances = lent(100, held=50)
    assert () == allowances.reserve({A: 100}, 30, 0.0)
    assert (50, 30, 0, 20) == columns(allowances)
    assert (Want(A, 100, 10, 18, 20),) == allowances.reserve({A: 100}, 30, 0.0)


def test_all_windows_are_reserved_or_none() -> None:
    allowances = lent(100, held=50)
    assert (Want(B, 70, 30, 30),) == allowances.reserve({A: 100, B: 70}, 30, 0.0)
    assert (50, 0, 0, 50) == columns(allowances)
    allowances.granted(Grant(B, 30, 30, 0), 0.0)
    assert () == allowances.reserve({A: 100, B: 70}, 30, 0.0)
    assert ((50, 30, 0, 20), (30, 30, 0, 0)) == (columns(allowances), columns(allowances, B))


def test_what_is_free_is_never_short() -> None:
    allowances = Allowances(SETTINGS)
    assert () == allowances.reserve({A: 0}, 0, 0.0)
    allowances.settle([A], 0, 0, 0.0)
    assert 0 == len(allowances)


def test_what_was_reserved_becomes_a_cost_and_the_difference_is_available_again() -> None:
    allowances = lent(100, held=50)
    allowances.reserve({A: 100}, 30, 0.0)
    allowances.settle([A], 30, 12, 0.0)
    assert (50, 0, 12, 38) == columns(allowances)
    allowances.written(A, 12)
    assert (38, 0, 0, 38) == columns(allowances)


def test_what_came_to_nothing_is_available_again() -> None:
    allowances = lent(100, held=50)
    allowances.reserve({A: 100}, 30, 0.0)
    allowances.settle([A], 30, 0, 0.0)
    assert (50, 0, 0, 50) == columns(allowances)


def test_what_cost_more_than_its_estimate_is_owed_by_the_next() -> None:
    allowances = lent(100, held=30)
    allowances.reserve({A: 100}, 30, 0.0)
    allowances.settle([A], 30, 45, 0.0)
    assert (30, 0, 45, -15) == columns(allowances)
    (want,) = allowances.reserve({A: 100}, 30, 0.0)
    assert 45 == want.need
    allowances.written(A, 45)
    assert (0, 0, 0, 0) == columns(allowances)


def test_a_cost_may_count_in_windows_of_which_nothing_was_reserved() -> None:
    allowances = Allowances(SETTINGS)
    allowances.settle([A], 0, 5, 0.0)
    assert (0, 0, 5, -5) == columns(allowances)


def test_a_row_that_is_dropped_costs_nobody_anything() -> None:
    allowances = lent(100, held=50)
    allowances.settle([A], 0, 12, 0.0)
    allowances.dropped(A, 12)
    assert (50, 0, 0, 50) == columns(allowances)


def test_rows_of_windows_without_limits_do_not_matter() -> None:
    allowances = Allowances(SETTINGS)
    allowances.written(A, 5)
    allowances.dropped(A, 5)
    assert None is allowances.of(A)


def test_a_borrowing_and_a_write_may_cross_either_way() -> None:
    for is_written_first in (True, False):  # in the database; what is told first here is the other way round
        bank, allowances = Bank(), Allowances(SETTINGS)
        allowances.granted(bank.borrow("r", [Want(A, 100, 30, 30)])[0], 0.0)
        allowances.settle([A], 0, 12, 0.0)
        if is_written_first:
            bank.write("r", A, 12)
            (grant,) = bank.borrow("r", [Want(A, 100, 20, 20)])
            allowances.granted(grant, 0.0)
            assert (50, 0, 12, 38) == columns(allowances)
            allowances.written(A, 12)
        else:
            (grant,) = bank.borrow("r", [Want(A, 100, 20, 20)])
            bank.write("r", A, 12)
            allowances.written(A, 12)
            allowances.granted(grant, 0.0)
        assert (38, 0, 0, 38) == columns(allowances)
        assert 38 == bank.leases["r", A]


def test_reservations_that_were_made_while_a_borrowing_ran_stay() -> None:
    allowances = lent(100, held=50)
    allowances.reserve({A: 100}, 30, 0.0)
    allowances.granted(Grant(A, 60, 10, 0), 0.0)
    assert (60, 30, 0, 30) == columns(allowances)


def test_a_lost_lease_is_believed_to_be_lost() -> None:
    allowances = lent(100, held=50)
    allowances.reserve({A: 100}, 30, 0.0)
    allowances.settle([A], 0, 5, 0.0)
    allowances.granted(Grant(A, 10, 10, 0), 0.0)  # only what was granted just now
    assert (15, 30, 5, -20) == columns(allowances)


def test_a_renewal_takes_what_the_database_does_not_know_of() -> None:
    allowances = lent(100, held=50)
    allowances.settle([A], 0, 5, 0.0)
    allowances.renewed({}, 0.0)
    assert (5, 0, 5, 0) == columns(allowances)


def test_a_quiet_renewal_gives_what_was_lost_sight_of() -> None:
    allowances = lent(100, held=50)
    assert {A: 50} == allowances.surplus(100.0, 0.0)  # but the database never hears of it
    allowances.renewed({A: 50}, 100.0)
    assert (0, 0, 0, 0) == columns(allowances)
    allowances.written(A, 0)
    allowances.renewed({A: 50}, 105.0)  # something was written since: the figures may have crossed
    assert (0, 0, 0, 0) == columns(allowances)
    allowances.renewed({A: 50}, 110.0)
    assert (50, 0, 0, 50) == columns(allowances)


def test_a_quiet_renewal_is_not_trusted_while_something_is_unwritten() -> None:
    allowances = lent(100, held=50)
    allowances.renewed({A: 50}, 0.0)
    allowances.settle([A], 0, 5, 0.0)
    allowances.renewed({A: 45}, 5.0)  # it is written, but that was not told yet
    assert (50, 0, 5, 45) == columns(allowances)
    allowances.written(A, 5)
    assert (45, 0, 0, 45) == columns(allowances)


def test_more_is_asked_for_where_plenty_is_left() -> None:
    allowances = lent(100_000, held=10, spent=20_000)
    (want,) = allowances.reserve({A: 100_000}, 1_000, 0.0)
    assert (990, 10_990) == (want.need, want.wish)  # and an eighth of 80,000


def test_less_is_asked_for_the_nearer_the_limit() -> None:
    allowances = lent(100_000, held=10, spent=99_000)
    (want,) = allowances.reserve({A: 100_000}, 1_000, 0.0)
    assert (990, 1_115) == (want.need, want.wish)


def test_not_more_is_asked_for_than_some_requests_are_worth() -> None:
    allowances = lent(10**12, held=0)
    (want,) = allowances.reserve({A: 10**12}, 1_000, 0.0)
    assert (1_000, 65_000) == (want.need, want.wish)


def test_it_is_refilled_before_anybody_has_to_wait() -> None:
    allowances, calls = lent(8_000, held=1_000), list[str]()
    allowances.on_low = lambda: calls.append("low")
    assert () == allowances.reserve({A: 8_000}, 100, 0.0)
    assert ([], ()) == (calls, allowances.refills(0.0))
    for _ in range(5):
        allowances.reserve({A: 8_000}, 100, 0.0)
    assert ["low"] == calls  # at 400 of some 925
    assert (Want(A, 8_000, 0, 525),) == allowances.refills(0.0)
    assert () == allowances.refills(0.0)


def test_a_refill_is_asked_for_once_in_a_while() -> None:
    allowances = lent(8_000, held=200)
    for now, refills in ((0.0, 1), (0.5, 0), (1.0, 1)):
        allowances.reserve({A: 8_000}, 10, now)
        assert refills == len(allowances.refills(now))


def test_what_came_in_meanwhile_is_not_asked_for() -> None:
    allowances = lent(8_000, held=200)
    allowances.reserve({A: 8_000}, 100, 0.0)
    allowances.granted(Grant(A, 2_200, 2_000, 0), 0.0)
    assert () == allowances.refills(0.0)


def test_a_router_that_hears_of_nobody_to_refill_goes_on() -> None:
    allowances = lent(8_000, held=200)
    assert () == allowances.reserve({A: 8_000}, 100, 0.0)


def test_a_refill_of_a_window_that_is_forgotten_is_not_asked_for() -> None:
    allowances = lent(8_000, held=200)
    allowances.reserve({A: 8_000}, 100, 0.0)
    allowances.settle([A], 100, 0, 0.0)
    assert {A: 200} == allowances.surplus(100.0, 0.0)
    assert () == allowances.refills(100.0)


def test_a_refusal_is_remembered_for_a_moment_and_for_no_higher_limit() -> None:
    allowances = lent(100, held=10)
    allowances.reserve({A: 100}, 30, 0.0)
    assert None is allowances.refusal(A, 100, 0.0)
    allowances.granted(Grant(A, 10, 0, 95), 0.0)
    assert [95, 95, None] == [allowances.refusal(A, limit, 0.9) for limit in (50, 100, 101)]
    assert None is allowances.refusal(A, 100, 1.0)
    assert None is allowances.refusal(B, 100, 0.0)
    allowances.reserve({A: 100}, 30, 0.5)
    allowances.granted(Grant(A, 40, 30, 95), 0.5)
    assert None is allowances.refusal(A, 100, 0.5)


def test_who_was_refused_borrows_nothing_ahead_for_a_moment() -> None:
    allowances = lent(8_000, held=200)
    allowances.reserve({A: 8_000}, 300, 0.0)
    allowances.granted(Grant(A, 200, 0, 0), 0.0)
    allowances.reserve({A: 8_000}, 100, 0.5)
    assert () == allowances.refills(0.5)
    allowances.reserve({A: 8_000}, 100, 1.0)
    assert 1 == len(allowances.refills(1.0))


def test_a_refill_that_is_not_granted_is_no_refusal() -> None:
    allowances = lent(8_000, held=200)
    allowances.reserve({A: 8_000}, 100, 0.0)
    assert 1 == len(allowances.refills(0.0))
    allowances.granted(Grant(A, 200, 0, 7_000), 0.0)
    assert None is allowances.refusal(A, 8_000, 0.0)
    assert {} == allowances.surplus(0.0, 0.0)


def test_what_lies_idle_is_given_back_and_forgotten() -> None:
    allowances = lent(100, held=50)
    allowances.reserve({A: 100}, 30, 0.0)
    assert {} == allowances.surplus(29.0, 0.0)
    assert {A: 20} == allowances.surplus(30.0, 0.0)  # a long answer is still under way
    assert (30, 30, 0, 0) == columns(allowances)
    allowances.settle([A], 30, 10, 0.0)
    assert {A: 20} == allowances.surplus(31.0, 0.0)
    assert 1 == len(allowances)
    allowances.written(A, 10)
    assert {} == allowances.surplus(32.0, 0.0)
    assert (0, 0) == (len(allowances), allowances.held)


def test_what_is_held_of_a_window_that_is_over_is_given_back_at_once() -> None:
    allowances = Allowances(SETTINGS)
    allowances.granted(Grant(B, 50, 50, 0), 0.0)
    assert {} == allowances.surplus(0.0, 2 * 86_400 - 1)
    assert {B: 50} == allowances.surplus(0.0, 2 * 86_400)
    assert 0 == len(allowances)


def test_what_is_too_little_for_anybody_is_given_back_at_once() -> None:
    allowances = lent(100, held=10)
    allowances.reserve({A: 100}, 30, 0.0)
    allowances.granted(Grant(A, 10, 0, 60), 0.0)
    assert 10 == allowances.held
    assert {A: 10} == allowances.surplus(0.0, 0.0)
    assert None is allowances.refusal(A, 100, 0.0)  # now there is something to be had again
    assert 1 == len(allowances)


def test_a_debt_is_not_given_back() -> None:
    allowances = Allowances(SETTINGS)
    allowances.settle([A], 0, 5, 0.0)
    assert {} == allowances.surplus(100.0, 0.0)


def test_empty_windows_are_forgotten_even_if_nobody_asks_for_a_surplus() -> None:
    allowances = Allowances(SETTINGS)
    allowances.settle([A], 0, 5, 0.0)
    for number in range(5_000):
        allowances.reserve({Window("key:a", Interval.DAILY, number): 100}, 30, float(number))
    assert len(allowances) <= 1_100
    assert (0, 0, 5, -5) == columns(allowances)


def test_busy_windows_are_kept_however_many() -> None:
    allowances = Allowances(SETTINGS)
    for number in range(3_000):
        allowances.reserve({Window("key:a", Interval.DAILY, number): 100}, 30, 0.0)
    assert 3_000 == len(allowances)


def test_requests_that_run_short_together_need_what_the_dearest_needs_and_would_like_it_all() -> None:
    wants = [Want(A, 100, 30, 30), Want(B, 100, 5, 50), Want(A, 90, 20, 45)]
    assert (Want(A, 90, 30, 50), Want(B, 100, 5, 50)) == together(wants)
    assert (Want(A, 100, 3, 45),) == together([Want(A, 100, 0, 45), Want(A, 100, 3, 3)])
    assert () == together([])


def test_an_allowance_says_what_it_is() -> None:
    assert "Allowance(held=0, reserved=0, unwritten=0)" == repr(Allowance(SETTINGS, 0.0))


@pytest.mark.parametrize(
    "settings",
    [
        {"share_of_rest": -0.1},
        {"share_of_rest": 1.1},
        {"share_of_rest": float("nan")},
        {"ahead": -1},
        {"refill_below": 2.0},
        {"idle_s": 0.0},
        {"refusal_s": 0.0},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        AllowanceSettings(**settings)  # type: ignore[arg-type]
