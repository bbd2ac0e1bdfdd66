"""Sessions and the pools that served them."""

import pytest

from router.policy.favourites import Favourites, FavouriteSettings, Session

MINE = Session("me", "m", "talk")


def test_a_session_goes_where_it_was_served_until_it_rests_too_long() -> None:
    favourites = Favourites(FavouriteSettings())
    assert favourites.of(MINE, 0.0) is None
    favourites.note(MINE, "a", 0.0)
    favourites.note(MINE, "b", 100.0)
    assert ("b", "b", None) == tuple(favourites.of(MINE, now) for now in (100.0, 700.0, 700.1))


@pytest.mark.parametrize("other", [Session("you", "m", "talk"), Session("me", "n", "talk"), Session("me", "m", "x")])
def test_other_sessions_are_other_sessions(other: Session) -> None:
    favourites = Favourites(FavouriteSettings())
    favourites.note(MINE, "a", 0.0)
    assert favourites.of(other, 0.0) is None


def test_the_one_that_has_rested_longest_makes_room() -> None:
    favourites = Favourites(FavouriteSettings(most=2))
    sessions = [Session("me", "m", str(number)) for number in range(3)]
    for session in (*sessions[:2], sessions[0], sessions[2]):
        favourites.note(session, "a", 0.0)
    assert ["a", None, "a"] == [favourites.of(session, 0.0) for session in sessions]


@pytest.mark.parametrize(("field", "value"), [("idle_s", -1.0), ("most", 0)])
def test_settings_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        FavouriteSettings(**{field: value})  # type: ignore[arg-type]
