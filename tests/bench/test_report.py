import pytest

from bench.quantiles import Spread
from bench.report import AIMS, Aim, Figure, reached, table


def test_every_figure_says_what_is_aimed_for() -> None:
    assert set(Figure) == set(AIMS)


@pytest.mark.parametrize(
    ("aim", "value", "expected"),
    [
        (Aim("µs", 180, 65), 64.0, "goal"),
        (Aim("µs", 180, 65), 65.0, "goal"),
        (Aim("µs", 180, 65), 66.0, "first width"),
        (Aim("µs", 180, 65), 181.0, "no"),
        (Aim("1/s", 5500, 15_000, is_least=True), 15_000.0, "goal"),
        (Aim("1/s", 5500, 15_000, is_least=True), 6000.0, "first width"),
        (Aim("1/s", 5500, 15_000, is_least=True), 5000.0, "no"),
        (Aim("MB", None, 25), 26.0, "no"),
        (Aim("ms", None, None), 26.0, ""),
    ],
)
def test_a_value_reaches_the_goal_the_first_width_or_nothing(aim: Aim, value: float, expected: str) -> None:
    assert expected == reached(aim, value)


def test_the_table_holds_what_was_measured_beside_the_aims() -> None:
    figures = {
        Figure.RATE: Spread(6000.4, 5900.0, 12_345.0),
        Figure.ADDED_P50: Spread(0.514, 0.4, 0.777),
        Figure.ENGINE_P50: Spread(1.0, 0.9, 1.1),
    }
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(figures).splitlines()]
    assert rows[0] == ["figure", "unit", "median", "least to most", "first width", "goal", "reached"]
    assert {"-"} == set("".join(rows[1]))
    assert rows[2:] == [
        [Figure.ADDED_P50.value, "ms", "0.51", "0.40 to 0.78", "≤ 0.6", "≤ 0.4", "first width"],
        [Figure.ENGINE_P50.value, "ms", "1.00", "0.90 to 1.10", "", "", ""],
        [Figure.RATE.value, "1/s", "6,000", "5,900 to 12,345", "≥ 5,500", "≥ 15,000", "first width"],
    ]


def test_the_columns_of_the_table_are_straight() -> None:
    lines = table({Figure.RATE: Spread(1.0, 1.0, 1.0), Figure.ENGINE_P99: Spread(1.0, 1.0, 1.0)}).splitlines()
    assert 1 == len({tuple(at for at, sign in enumerate(line) if sign == "|") for line in lines})
