"""Estimates of prompts. The image figures are mistral-common's own, given in its documentation of Pixtral."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.tokens import FixedLengths, image_tokens, text_tokens


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(512, 512, 380), (1024, 1024, 1_406), (1540, 1540, 3_080), (4000, 4000, 3_080), (1, 1, 2), (28, 28, 2)],
)
def test_an_image_has_as_many_tokens_as_pixtral_makes_of_it(width: int, height: int, tokens: int) -> None:
    assert tokens == image_tokens(width, height)


@given(width=st.integers(1, 50_000), height=st.integers(1, 50_000))
def test_no_image_has_more_tokens_than_the_largest(width: int, height: int) -> None:
    assert 2 <= image_tokens(width, height) <= 3_080


def test_text_is_estimated_from_its_bytes() -> None:
    assert 26 == text_tokens(101, 4.0)
    assert 0 == text_tokens(0, 4.0)


def test_where_nothing_is_learned_all_tokens_have_one_length() -> None:
    assert (4.0, 3.5) == (
        FixedLengths().bytes_per_token("m", "code"),
        FixedLengths(3.5).bytes_per_token("n", "prose"),
    )
