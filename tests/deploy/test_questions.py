import pytest

from deploy.questions import questions


@pytest.mark.parametrize("seed", range(20))
def test_the_expected_answer_is_right_and_others_are_not(seed: int) -> None:
    for question in questions(seed):
        assert question.is_right(question.expected)
        assert not question.is_right("")
        assert not question.is_right("I do not know.")


def test_the_same_seed_asks_the_same() -> None:
    first, again = questions(5), questions(5)
    assert [question.message() for question in first] == [question.message() for question in again]
    assert first[1].message() != questions(6)[1].message()


def test_only_the_second_question_carries_the_picture_and_later_ones_need_it() -> None:
    assert [None, (140, 140), None, None] == [each.picture and each.picture.size for each in questions(1)]
    assert [False, False, True, True] == [each.goes_on for each in questions(1)]


def test_json_with_other_values_is_wrong() -> None:
    question = questions(1)[3]
    assert not question.is_right(question.expected.replace("2", "3"))
    assert question.is_right(question.expected.replace(", ", ","))
