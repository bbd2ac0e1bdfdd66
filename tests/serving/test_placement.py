"""Parallel sizes and the machines they ask for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.config import ConfigError
from serving.placement import Placement, place
from serving.profiles.mistral_small_3_1_24b import ARCHITECTURE


def mistral(tensor: int = 1, pipeline: int = 1, *, cards: int = 8, on_gpu: bool = True) -> Placement:
    return place(
        ARCHITECTURE,
        tensor_parallel_size=tensor,
        pipeline_parallel_size=pipeline,
        cards_per_node=cards,
        on_gpu=on_gpu,
        cpus_per_worker=1.0,
    )


def test_one_card_is_one_bundle() -> None:
    assert Placement(({"CPU": 1.0, "GPU": 1.0},), "STRICT_PACK") == mistral()


def test_a_tensor_parallel_group_stays_on_one_node() -> None:
    assert Placement(({"CPU": 1.0, "GPU": 1.0},) * 4, "STRICT_PACK") == mistral(4)


def test_stages_that_do_not_fit_one_node_may_spread() -> None:
    assert Placement(({"CPU": 1.0, "GPU": 1.0},) * 16, "PACK") == mistral(8, 2)


def test_on_cpu_no_bundle_asks_for_a_gpu() -> None:
    assert Placement(({"CPU": 1.0},) * 2, "STRICT_PACK") == mistral(2, on_gpu=False)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"tensor": 3}, "tensor_parallel_size: 3 does not divide the model's 32 attention heads; use one of 1, 2, 4"),
        ({"tensor": 4, "cards": 2}, "tensor_parallel_size: 4 is more than the 2 workers of one node"),
        ({"pipeline": 41}, "pipeline_parallel_size: 41 stages for 40 layers"),
        ({"tensor": 4, "pipeline": 4, "on_gpu": False}, "pipeline_parallel_size: 16 workers are needed, and on CPU"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        mistral(**sizes)  # type: ignore[arg-type]
    assert str(refused.value).startswith(message)


def test_key_value_heads_must_be_shared_out_evenly() -> None:
    odd = replace(ARCHITECTURE, heads=12, kv_heads=4)
    with pytest.raises(
        ConfigError, match="6 and the model's 4 key-value heads do not divide each other; use one of 1, 2, 4"
    ):
        place(odd, tensor_parallel_size=6, pipeline_parallel_size=1, cards_per_node=8, on_gpu=True, cpus_per_worker=1.0)


@given(tensor=st.integers(1, 64), pipeline=st.integers(1, 64), cards=st.integers(1, 16), on_gpu=st.booleans())
def test_every_placement_has_one_bundle_per_worker_and_keeps_groups_together(
    tensor: int, pipeline: int, cards: int, on_gpu: bool
) -> None:
    try:
        found = mistral(tensor, pipeline, cards=cards, on_gpu=on_gpu)
    except ConfigError:
        return
    assert tensor * pipeline == len(found.bundles)
    assert tensor <= cards
    assert ("STRICT_PACK" == found.strategy) == (tensor * pipeline <= cards)
