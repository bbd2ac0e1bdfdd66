"""The compatibility page is what the rows say, and the rows are what tests prove."""

from collections import Counter

from tests.conformance import test_clients, test_openapi, test_openrouter_spec
from tests.conformance.page import PAGE, rows, written
from tests.conformance.proves import proven


def test_the_page_is_what_the_rows_say() -> None:
    assert written() == PAGE.read_text()


def test_a_route_that_is_said_to_be_here_has_a_test_that_names_it() -> None:
    named = proven([test_clients, test_openapi, test_openrouter_spec])
    assert [] == [row.route for row in rows() if row.state != "no" and row.route not in named]
    assert [] == sorted(named.keys() - {row.route for row in rows() if row.state != "no"})


def test_every_route_stands_once_and_says_why_it_is_not_whole() -> None:
    assert [] == [route for route, count in Counter(row.route for row in rows()).items() if count > 1]
    assert [] == [row.route for row in rows() if (row.state == "yes") == bool(row.why)]
