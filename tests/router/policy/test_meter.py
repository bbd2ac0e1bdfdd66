"""The engines' counters over time: first looks, restarts, and what is still to be written."""

from router.policy.catalog import EndpointId
from router.policy.meter import Meter, Reading

E = EndpointId("e")


def seen(*counters: tuple[int, int]) -> Meter:
    meter = Meter()
    for second, (prompt, generation) in enumerate(counters):
        meter.saw(E, "local", prompt=prompt, generation=generation, unix_s=100.0 + second)
    return meter


def test_what_an_engine_had_computed_before_it_was_first_seen_does_not_count() -> None:
    assert [Reading(E, "local", 100_000, 1_000, 50, 1_600, 80, 101.0)] == seen((1_000, 50), (1_600, 80)).changed()


def test_a_counter_that_goes_down_is_a_new_engine_all_of_whose_tokens_count() -> None:
    assert [
        Reading(E, "local", 100_000, 1_000, 50, 1_000, 50, 100.0),
        Reading(E, "local", 101_000, 0, 0, 30, 2, 101.0),
        Reading(E, "local", 102_000, 0, 0, 40, 1, 102.0),
    ] == seen((1_000, 50), (30, 2), (40, 1)).changed()


def test_what_has_not_changed_need_not_be_written_again() -> None:
    meter = seen((5, 5))
    assert 1 == len(meter.changed())
    meter.saw(E, "local", prompt=5, generation=5, unix_s=110.0)
    assert [] == meter.changed()


def test_what_could_not_be_written_comes_again_unless_something_newer_is_there() -> None:
    meter = seen((5, 5))
    old = meter.changed()
    meter.unwritten(old)
    assert old == meter.changed()
    meter.saw(E, "local", prompt=6, generation=6, unix_s=111.0)
    meter.unwritten(old)
    assert [6] == [each.prompt for each in meter.changed()]


def test_an_endpoint_that_left_is_looked_at_anew_when_it_comes_back() -> None:
    meter = seen((5, 5))
    meter.changed()
    meter.forget(E)
    meter.saw(E, "local", prompt=9, generation=9, unix_s=120.0)
    assert [9] == [each.first_prompt for each in meter.changed()]
