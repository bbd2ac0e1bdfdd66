from router.policy.call import Call, Prefix, Priority


def test_each_model_is_tried_once_in_order() -> None:
    assert ("a", "b", "c") == Call("a", fallback_models=("b", "a", "c", "b")).models


def test_a_prefix_tells_the_tokens_of_its_first_blocks() -> None:
    prefix = Prefix((11, 22, 33), (64, 128, 200))
    assert [0, 64, 200] == [prefix.tokens(depth) for depth in (0, 1, 3)]


def test_who_cannot_wait_goes_before_who_can() -> None:
    assert [Priority.BATCH, Priority.NORMAL, Priority.CRITICAL] == sorted(Priority)
