"""The hard filters and their words."""

from dataclasses import replace

import pytest

from router.policy.call import Call
from router.policy.catalog import Dialect, Pool, Price
from router.policy.data_policy import DataPolicy
from router.policy.eligible import why_not
from router.policy.key import ANONYMOUS, Key
from router.policy.preferences import MaxPrice, Preferences

POOL = Pool("p", "m", "m", provider="Acme", slug="acme/eu", price=Price(prompt=1e-6), context_length=1_000)
CALL = Call("m")


def reason(
    preferences: Preferences | None = None,
    *,
    pool: Pool = POOL,
    call: Call = CALL,
    key: Key = ANONYMOUS,
    parameters: frozenset[str] = frozenset(),
    is_free: bool = False,
) -> str | None:
    return why_not(call, pool, key, preferences, parameters, is_free=is_free)


def test_without_wishes_a_pool_serves() -> None:
    assert reason() is None
    assert reason(Preferences()) is None


@pytest.mark.parametrize(
    ("key", "word"),
    [
        (Key("k", "k", models=frozenset({"n"})), "model_not_allowed"),
        (Key("k", "k", models=frozenset({"m"})), None),
        (Key("k", "k", ignored_models=frozenset({"m"})), "model_not_allowed"),
        (Key("k", "k", providers=frozenset({"elsewhere"})), "allowed_providers"),
        (Key("k", "k", providers=frozenset({"acme"})), None),
        (Key("k", "k", ignored_providers=frozenset({"Acme"})), "allowed_providers"),
        (Key("k", "k", ignored_providers=frozenset({"elsewhere"})), None),
    ],
)
def test_what_a_key_may_not_use_is_left_out(key: Key, word: str | None) -> None:
    assert word == reason(key=key)


def test_a_pool_that_does_with_data_what_a_key_forbids_is_left_out() -> None:
    key = Key("k", "k", data_policy=DataPolicy(frozenset({"other"})))
    assert "data_policy:zdr" == reason(key=key, pool=replace(POOL, retains=True))
    assert reason(key=key) is None


@pytest.mark.parametrize(
    ("preferences", "word"),
    [
        (Preferences(only=("acme",)), None),
        (Preferences(only=("other",)), "allowed_providers"),
        (Preferences(ignore=("acme",)), "allowed_providers"),
        (Preferences(ignore=("other",)), None),
        (Preferences(quantizations=frozenset({"fp8"})), "quantization"),
        (Preferences(quantizations=frozenset({"unknown"})), None),
        (Preferences(max_price=MaxPrice(prompt=0.5)), "max_price"),
        (Preferences(max_price=MaxPrice(prompt=1.0)), None),
        (Preferences(denies_training=True, zdr=True, distillable=True, require_parameters=True), None),
    ],
)
def test_what_the_caller_does_not_want_is_left_out(preferences: Preferences, word: str | None) -> None:
    assert word == reason(preferences)


@pytest.mark.parametrize(
    ("preferences", "pool", "word"),
    [
        (Preferences(denies_training=True), Pool("p", "m", "m", trains=True), "data_policy:training"),
        (Preferences(zdr=True), Pool("p", "m", "m", trains=True), "data_policy:zdr"),
        (Preferences(zdr=True), Pool("p", "m", "m", retains=True), "data_policy:zdr"),
        (Preferences(denies_training=True), Pool("p", "m", "m", retains=True), None),
        (Preferences(distillable=True), Pool("p", "m", "m", is_distillable=False), "data_policy:distillation"),
    ],
)
def test_data_goes_only_where_it_may(preferences: Preferences, pool: Pool, word: str | None) -> None:
    assert word == reason(preferences, pool=pool)


def test_parameters_that_must_be_obeyed_leave_out_who_does_not() -> None:
    pool, parameters = Pool("p", "m", "m", parameters=frozenset({"seed"})), frozenset({"seed", "top_a"})
    assert reason(Preferences(), pool=pool, parameters=parameters) is None
    assert "require_parameters" == reason(Preferences(require_parameters=True), pool=pool, parameters=parameters)


def test_a_free_variant_is_not_served_for_money() -> None:
    assert "max_price" == reason(is_free=True)
    assert reason(is_free=True, pool=Pool("p", "m", "m")) is None


def test_an_answer_of_another_kind_is_not_had_from_a_pool() -> None:
    assert "output_modalities" == reason(call=Call("m", output="embeddings"))


def test_a_pool_that_cannot_see_is_left_out_of_calls_with_images() -> None:
    call = Call("m", modalities=frozenset({"text", "image"}))
    assert "input_modalities" == reason(call=call)
    assert reason(call=call, pool=Pool("p", "m", "m", input_modalities=frozenset({"text", "image"}))) is None


def test_what_cannot_fit_is_not_sent() -> None:
    assert "context_length" == reason(call=Call("m", max_tokens=1_000))
    assert "context_length" == reason(call=Call("m", text_bytes=32 * 1_000))
    assert reason(call=Call("m", text_bytes=32 * 1_000, prompts=16)) is None
    assert "max_tokens" == reason(call=Call("m", max_tokens=11), pool=Pool("p", "m", "m", max_completion_tokens=10))


@pytest.mark.parametrize(
    ("pool", "told"),
    [
        (Pool("p", "m", "m"), None),
        (Pool("p", "m", "m", dialect=Dialect.OPENAI), "output_modalities"),
        (Pool("p", "m", "m", outputs=frozenset({"embeddings"})), "output_modalities"),
    ],
)
def test_tokens_are_counted_by_our_own_engines_of_text(pool: Pool, told: str | None) -> None:
    assert told == reason(pool=pool, call=Call("m", output="count"))
