"""What may be done with what a key sends."""

import pytest

from router.policy.catalog import Pool, Price
from router.policy.data_policy import ANYTHING, FAMILIES, DataPolicy, family

PAID = Price(prompt=1e-6)


def pool(model: str = "m", *, trains: bool = False, retains: bool = False, price: Price = PAID) -> Pool:
    return Pool("p", model, "m", trains=trains, retains=retains, price=price)


@pytest.mark.parametrize(
    ("model", "whose"),
    [
        ("anthropic/claude", "anthropic"),
        ("~Google/gemini", "google"),
        ("openai/gpt", "openai"),
        ("x-ai/grok", "xai"),
        ("mistralai/small", "other"),
        ("anthropic", "other"),
    ],
)
def test_zero_data_retention_is_demanded_by_whose_model_it_is(model: str, whose: str) -> None:
    assert whose == family(model)
    for each in FAMILIES:
        word = "data_policy:zdr" if each == whose else None
        assert word == DataPolicy(frozenset({each})).why_not(pool(model, retains=True))
        assert word == DataPolicy(frozenset({each})).why_not(pool(model, trains=True))
        assert DataPolicy(frozenset({each})).why_not(pool(model)) is None


@pytest.mark.parametrize("price", [PAID, Price(completion=1e-6), Price(request=0.1)])
def test_training_is_denied_by_whether_the_answer_is_paid_for(price: Price) -> None:
    paid, free = DataPolicy(denies_paid_training=True), DataPolicy(denies_free_training=True)
    assert "data_policy:training" == paid.why_not(pool(trains=True, price=price))
    assert free.why_not(pool(trains=True, price=price)) is None
    assert "data_policy:training" == free.why_not(pool(trains=True, price=Price()))
    assert paid.why_not(pool(trains=True, price=Price())) is None
    assert paid.why_not(pool(retains=True)) is None


def test_without_rules_everything_may_be_used() -> None:
    assert ANYTHING.why_not(pool(trains=True, retains=True)) is None
