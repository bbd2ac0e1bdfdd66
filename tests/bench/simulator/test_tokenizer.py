import pytest

from bench.simulator.ask import ImageUrl, Message, Part, Refused
from bench.simulator.prompt import IMAGE, IMAGE_BREAK, IMAGE_END, block_names
from bench.simulator.tokenizer import FourBytes
from bench.simulator.words import END_OF_ANSWER, Words
from router.protocol.tokens import image_tokens
from tests.bench.simulator.support import picture

FOUR = FourBytes()


def user(*parts: Part) -> Message:
    return Message("user", list(parts))


def shown(width: int, height: int, uuid: str | None = None, shade: int = 0) -> Part:
    return Part("image_url", image_url=ImageUrl(picture(width, height, shade)["image_url"]["url"]), uuid=uuid)


def test_four_bytes_are_a_token_and_messages_have_control_tokens_around() -> None:
    prompt = FOUR.chat([Message("system", "Be nice."), Message("user", "Hi there")], goes_on=False)
    assert [1, 17, None, None, 18, 3, None, None, 4] == [each if each < 1000 else None for each in prompt.ids]


def test_what_follows_does_not_change_the_tokens_before() -> None:
    turns = [Message("user", "one"), Message("assistant", "two"), Message("user", "three")]
    whole = FOUR.chat(turns, goes_on=False).ids
    before = FOUR.chat(turns[:1], goes_on=False).ids
    assert before == whole[: len(before)]


def test_an_answer_that_comes_back_is_cut_into_the_tokens_it_was_made_of() -> None:
    words = Words(FOUR.words, seed=1).take(7, 20)
    answer = b"".join(word.text for word in words).decode()
    turn = [Message("user", "Hi"), Message("assistant", answer), Message("user", "Go on")]
    first = FOUR.chat(turn[:1], goes_on=False).ids
    second = FOUR.chat(turn, goes_on=False).ids
    assert [word.id for word in words] + [END_OF_ANSWER] == second[len(first) :].tolist()[:21]


def test_an_answer_that_is_to_go_on_has_no_end() -> None:
    turns = [Message("user", "Hi"), Message("assistant", "and then")]
    assert FOUR.chat(turns, goes_on=False).ids[:-1] == FOUR.chat(turns, goes_on=True).ids


@pytest.mark.parametrize(("width", "height"), [(28, 28), (29, 28), (200, 130), (1540, 1540), (4000, 30), (30, 4000)])
def test_a_picture_has_as_many_tokens_as_the_model_sees(width: int, height: int) -> None:
    prompt = FOUR.chat([user(shown(width, height))], goes_on=False)
    (seen,) = prompt.pictures
    assert image_tokens(width, height) == seen.tokens
    ids = prompt.ids[seen.at : seen.at + seen.tokens].tolist()
    assert {IMAGE, IMAGE_BREAK, IMAGE_END} >= set(ids)
    assert IMAGE_END == ids[-1]


def test_a_picture_is_known_by_its_uuid_or_else_by_its_bytes() -> None:
    def names(part: Part) -> tuple[int, ...]:
        prompt = FOUR.chat([user(part)], goes_on=False)
        return block_names(prompt.ids, prompt.pictures, 16)

    assert names(shown(280, 280)) == names(shown(280, 280))
    assert names(shown(280, 280)) != names(shown(280, 280, shade=1))
    assert names(shown(280, 280, "a")) == names(shown(280, 280, "a", shade=1))
    assert names(shown(280, 280, "a")) != names(shown(280, 280, "b"))


@pytest.mark.parametrize("url", ["http://example.org/x.png", "data:image/png;base64,AAAA", "data:text/plain,x"])
def test_what_is_no_picture_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        FOUR.chat([user(Part("image_url", image_url=ImageUrl(url)))], goes_on=False)


def test_words_need_no_escaping_and_are_one_token_each() -> None:
    assert all(word.text.isascii() and b'"' not in word.text and b"\\" not in word.text for word in FOUR.words)
    assert all(FOUR.text(word.text.decode()).ids.tolist() == [1, word.id] for word in FOUR.words)


def test_ids_fit_into_31_bits_whatever_the_text() -> None:
    assert max(FOUR.text("naïve 日本語 😀 \x00").ids) < 2**31
