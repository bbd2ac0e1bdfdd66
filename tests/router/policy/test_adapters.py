from router.policy.adapters import LOADING_S, Adapters
from router.policy.catalog import EndpointId

A, B = EndpointId("a"), EndpointId("b")


def test_without_an_adapter_nothing_is_to_be_loaded() -> None:
    assert 0.0 == Adapters().delay_s(A, None, 0.0)


def test_who_is_not_known_to_have_it_must_load_it() -> None:
    assert LOADING_S == Adapters().delay_s(A, "french", 0.0)


def test_who_says_to_have_it_begins_at_once() -> None:
    adapters = Adapters()
    adapters.told(A, ["french", "legal"])
    assert [0.0, LOADING_S, LOADING_S] == [
        adapters.delay_s(A, "legal", 0.0),
        adapters.delay_s(A, "german", 0.0),
        adapters.delay_s(B, "legal", 0.0),
    ]
    adapters.told(A, ["german"])
    assert [LOADING_S, 0.0] == [adapters.delay_s(A, "legal", 0.0), adapters.delay_s(A, "german", 0.0)]


def test_who_was_asked_for_it_lately_is_believed_to_have_it() -> None:
    adapters = Adapters()
    adapters.asked(A, "french", 100.0)
    assert [0.0, LOADING_S] == [adapters.delay_s(A, "french", now) for now in (130.0, 130.1)]


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    adapters = Adapters()
    for number in range(65):
        adapters.asked(A, f"adapter-{number}", 0.01 * number)
    assert [LOADING_S, 0.0, 0.0] == [adapters.delay_s(A, f"adapter-{number}", 1.0) for number in (0, 1, 64)]


def test_an_endpoint_that_left_is_forgotten() -> None:
    adapters = Adapters()
    adapters.told(A, ["french"])
    adapters.asked(A, "german", 0.0)
    adapters.forget(A)
    adapters.forget(B)
    assert [LOADING_S] * 2 == [adapters.delay_s(A, each, 0.0) for each in ("french", "german")]
