"""The access log."""

import logging

from router.front.access_log import WithoutQuery


def line(*arguments: object) -> str:
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "%s" * len(arguments), arguments, None)
    assert WithoutQuery().filter(record)
    return record.getMessage()


def test_what_stands_behind_a_question_mark_is_not_written_down() -> None:
    assert "1 GET /x 1.1 200" == line("1 ", "GET ", "/x?key=secret", " 1.1 ", 200)


def test_other_lines_stay_as_they_are() -> None:
    assert "a?b" == line("a?b")
