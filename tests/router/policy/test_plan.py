import pytest

from router.policy.call import Call
from router.policy.catalog import Pool
from router.policy.key import Key
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


def test_a_text_that_no_tokenizer_makes_short_enough_leaves_a_pool_out() -> None:
    call = Call("m/small", text_bytes=32 * 1_000, prompt_tokens=10)
    assert plan(call, [SMALL, SECOND]) == Plan((SECOND,), (Exclusion(SMALL, "context_length"),))


def test_several_prompts_are_not_judged_by_their_sum() -> None:
    assert Plan((SMALL,)) == plan(Call("m/small", text_bytes=32 * 1_000, prompts=16), [SMALL])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (Key("k", "k", models=frozenset({"m/eyes"})), "model_not_allowed"),
        (Key("k", "k", ignored_models=frozenset({"m/small"})), "model_not_allowed"),
        (Key("k", "k", providers=frozenset({"elsewhere"})), "provider_not_allowed"),
        (Key("k", "k", ignored_providers=frozenset({"local"})), "provider_not_allowed"),
    ],
)
def test_what_a_key_may_not_use_is_left_out(key: Key, reason: str) -> None:
    assert Plan((), (Exclusion(SMALL, reason),)) == plan(Call("m/small"), [SMALL], key)


def test_a_key_that_names_what_it_may_use_may_use_it() -> None:
    key = Key("k", "k", models=frozenset({"m/small"}), providers=frozenset({"local"}))
    assert Plan((SMALL,)) == plan(Call("m/small"), [SMALL], key)
