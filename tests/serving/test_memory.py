"""What fits a card, and what is said when it does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.config import ConfigError
from serving.memory import GIB, Card, Footprint, footprint, require_fit
from serving.profiles.mistral_small_3_1_24b import ARCHITECTURE

H100 = Card(memory_gib=79.6, utilisation=0.92, overhead_gib=4.0)


def of_mistral(
    card: Card, *, tensor_parallel_size: int = 1, max_model_len: int = 131_072, kv_bytes: int = 2
) -> Footprint:
    return footprint(
        ARCHITECTURE,
        card,
        tensor_parallel_size=tensor_parallel_size,
        pipeline_parallel_size=1,
        max_model_len=max_model_len,
        weight_bytes=2,
        kv_bytes=kv_bytes,
    )


def test_mistral_small_at_full_context_is_69_gib_on_one_card() -> None:
    need = of_mistral(H100)
    assert (44.7, 20.0, 4.0, 68.7) == (round(need.weights, 1), need.kv_cache, need.overhead, round(need.needed, 1))
    assert need.fits


def test_two_cards_share_weights_and_cache_but_not_overhead() -> None:
    one, two = of_mistral(H100), of_mistral(H100, tensor_parallel_size=2)
    assert (one.weights / 2, one.kv_cache / 2, one.overhead) == (two.weights, two.kv_cache, two.overhead)


def test_more_cards_than_key_value_heads_do_not_share_the_cache_further() -> None:
    eight, sixteen = of_mistral(H100, tensor_parallel_size=8), of_mistral(H100, tensor_parallel_size=16)
    assert eight.kv_cache == sixteen.kv_cache
    assert eight.weights / 2 == sixteen.weights


def test_an_eight_bit_cache_is_half() -> None:
    assert of_mistral(H100).kv_cache / 2 == of_mistral(H100, kv_bytes=1).kv_cache


def test_weights_that_do_not_fit_ask_for_more_or_larger_cards() -> None:
    card = Card(memory_gib=44.9, utilisation=0.92, overhead_gib=4.0)
    with pytest.raises(ConfigError) as refused:
        require_fit(of_mistral(card), max_model_len=131_072, kv_bytes_per_token=163_840)
    assert (
        "the model does not fit: weights 44.7 GiB + KV cache of one request of 131,072 tokens 20.0 GiB + overhead"
        " 4.0 GiB = 68.7 GiB a card, but 41.3 GiB may be used; raise tensor_parallel_size or pipeline_parallel_size,"
        " or take a larger card"
    ) == str(refused.value)


@given(memory_gib=st.floats(55, 70))
def test_the_context_that_is_advised_fits(memory_gib: float) -> None:
    card = Card(memory_gib=memory_gib, utilisation=0.92, overhead_gib=4.0)
    with pytest.raises(ConfigError) as refused:
        require_fit(of_mistral(card), max_model_len=131_072, kv_bytes_per_token=163_840)
    advised = re.search(r"lower engine\.max_model_len to ([\d,]+) or less", str(refused.value))
    assert advised is not None
    tokens = int(advised[1].replace(",", ""))
    assert of_mistral(card, max_model_len=tokens).fits
    assert not of_mistral(card, max_model_len=tokens + 1).fits


def test_a_gibibyte_is_two_to_the_thirtieth() -> None:
    assert 2**30 == GIB
