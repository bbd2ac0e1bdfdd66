from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.plan import Exclusion, Plan, plan

SMALL = Pool("small", "m/small", "small", context_length=1_000, max_completion_tokens=500)
EYES = Pool("eyes", "m/eyes", "eyes", context_length=1_000, input_modalities=frozenset({"text", "image"}))
SECOND = Pool("second", "m/small", "small", context_length=2_000)


def test_pools_of_a_model_are_tried_in_the_order_of_the_configuration() -> None:
    assert plan(Call("m/small"), [SMALL, EYES, SECOND]) == Plan((SMALL, SECOND))


def test_fallback_models_come_after_the_model_asked_for_and_each_once() -> None:
    call = Call("m/eyes", fallback_models=("m/small", "m/eyes"))
    assert plan(call, [SMALL, EYES, SECOND]) == Plan((EYES, SMALL, SECOND))


def test_an_unknown_model_has_no_pool_and_no_exclusion() -> None:
    assert plan(Call("m/none"), [SMALL]) == Plan(())


def test_a_pool_that_cannot_see_is_left_out_of_calls_with_images() -> None:
    call = Call("m/small", modalities=frozenset({"text", "image"}))
    assert plan(call, [SMALL]) == Plan((), (Exclusion(SMALL, "input_modalities"),))


def test_more_tokens_than_a_pool_may_answer_leave_it_out() -> None:
    call = Call("m/small", max_tokens=501)
    assert plan(call, [SMALL, SECOND]) == Plan((SECOND,), (Exclusion(SMALL, "max_tokens"),))


def test_more_tokens_than_the_context_holds_leave_a_pool_out() -> None:
    call = Call("m/small", max_tokens=2_000)
    excluded = (Exclusion(SMALL, "context_length"), Exclusion(SECOND, "context_length"))
    assert plan(call, [SMALL, SECOND]) == Plan((), excluded)
