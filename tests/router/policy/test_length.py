import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.call import Call
from router.policy.length import DEFAULT, START, Lengths


def asked(text_bytes: int, prompt_tokens: int, image_tokens: int = 0, content: str = "prose") -> Call:
    return Call("m", prompt_tokens=prompt_tokens, image_tokens=image_tokens, text_bytes=text_bytes, content=content)


def estimate(lengths: Lengths, text_bytes: int, images: int = 0) -> Call:
    """A call whose tokens were estimated with what is known."""
    return asked(text_bytes, round(text_bytes / lengths.bytes_per_token("m", "prose")) + images, images)


def test_before_anything_was_learned_each_class_has_its_usual_ratio() -> None:
    lengths = Lengths()
    assert dict(START) == {content: lengths.bytes_per_token("m", content) for content in START}
    assert DEFAULT == lengths.bytes_per_token("m", "runes")


def test_answers_teach_the_ratio() -> None:
    lengths = Lengths()
    for _ in range(200):
        lengths.learn("m", estimate(lengths, 6000), prompt_tokens=2000)
    assert 3.0 == pytest.approx(lengths.bytes_per_token("m", "prose"), abs=0.01)


def test_tokens_of_images_are_no_text() -> None:
    lengths = Lengths()
    for _ in range(200):
        lengths.learn("m", estimate(lengths, 6000, images=700), prompt_tokens=2000 + 700)
    assert 3.0 == pytest.approx(lengths.bytes_per_token("m", "prose"), abs=0.01)


def test_each_model_and_class_learns_for_itself() -> None:
    lengths = Lengths()
    lengths.learn("m", asked(4400, 1000), prompt_tokens=1100)
    assert START["prose"] > lengths.bytes_per_token("m", "prose")
    assert START["prose"] == lengths.bytes_per_token("other", "prose")
    assert START["code"] == lengths.bytes_per_token("m", "code")


@pytest.mark.parametrize(
    ("call", "counted"),
    [
        (asked(63, 14), 30),  # too short
        (asked(4400, 1700, image_tokens=700), 700),  # fewer tokens than the images have
        (asked(4400, 1000), 100_000),  # less than half a byte a token
        (asked(4400, 1000), 10),  # more than any tokenizer takes together
    ],
)
def test_what_cannot_be_right_teaches_nothing(call: Call, counted: int) -> None:
    lengths = Lengths()
    lengths.learn("m", call, counted)
    assert START["prose"] == lengths.bytes_per_token("m", "prose")


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=60))
def test_whatever_is_counted_the_ratio_stays_one_of_a_tokenizer(counts: list[tuple[int, int, int]]) -> None:
    lengths = Lengths()
    for text_bytes, estimated, counted in counts:
        lengths.learn("m", asked(text_bytes, estimated), counted)
        assert 0.5 <= lengths.bytes_per_token("m", "prose") <= 16.0
