"""The table that a run ends with: each figure beside what is aimed for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from bench.quantiles import Spread


class Figure(Enum):
    """What is measured, in the order of the table."""

    ADDED_P50 = "added time to first token, 20 requests/s, p50"
    ADDED_P99 = "added time to first token, 20 requests/s, p99"
    ADDED_400_P50 = "added time to first token, 400 requests/s, p50"
    ADDED_400_P99 = "added time to first token, 400 requests/s, p99"
    ENGINE_P50 = "the same in front of the engine, 20 requests/s, p50"
    ENGINE_P99 = "the same in front of the engine, 20 requests/s, p99"
    SMALL = "CPU per plain request, prompt of 200 bytes"
    LARGE = "CPU per plain request, prompt of 32 kB"
    IMAGE = "CPU per plain request, image of 1 MB"
    TOKEN = "CPU per streamed token, 100 streams of 20 tokens/s"
    RATE = "plain requests on one core"
    IDLE = "memory, idle (peak)"
    STREAMS = "memory per 1,000 open streams (peak)"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be at most (`is_least`: at least). None: nobody has set that."""

    unit: str
    first_width: float | None
    goal: float | None
    digits: int = 0
    is_least: bool = False


AIMS = {
    Figure.ADDED_P50: Aim("ms", 0.6, 0.4, digits=2),
    Figure.ADDED_P99: Aim("ms", 1.5, 1.0, digits=2),
    Figure.ADDED_400_P50: Aim("ms", 0.6, 0.4, digits=2),
    Figure.ADDED_400_P99: Aim("ms", 1.5, 1.0, digits=2),
    Figure.ENGINE_P50: Aim("ms", None, None, digits=2),
    Figure.ENGINE_P99: Aim("ms", None, None, digits=2),
    Figure.SMALL: Aim("µs", 180, 65),
    Figure.LARGE: Aim("µs", 220, 90),
    Figure.IMAGE: Aim("µs", 1500, 900),
    Figure.TOKEN: Aim("µs", 50, 30, digits=1),
    Figure.RATE: Aim("1/s", 5500, 15_000, is_least=True),
    Figure.IDLE: Aim("MB", 120, 80),
    Figure.STREAMS: Aim("MB", None, 25),
}


def table(figures: Mapping[Figure, Spread]) -> str:
    """A Markdown table of what was measured. Figures that were not measured have no row."""
    head = ("figure", "unit", "median", "least to most", "first width", "goal", "reached")
    rows = [head, *(_row(figure, AIMS[figure], figures[figure]) for figure in Figure if figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def reached(aim: Aim, value: float) -> str:
    """The furthest aim that a value reaches; nothing when there is none to reach."""
    for name, limit in (("goal", aim.goal), ("first width", aim.first_width)):
        if limit is not None and (value >= limit if aim.is_least else value <= limit):
            return name
    return "" if aim.goal is None else "no"


def _row(figure: Figure, aim: Aim, value: Spread) -> tuple[str, ...]:
    sign = "≥" if aim.is_least else "≤"

    def number(value: float) -> str:
        return f"{value:,.{aim.digits}f}"

    def limit(value: float | None) -> str:
        return "" if value is None else f"{sign} {value:,g}"

    return (
        figure.value,
        aim.unit,
        number(value.median),
        f"{number(value.least)} to {number(value.most)}",
        limit(aim.first_width),
        limit(aim.goal),
        reached(aim, value.median),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "|" + "|".join(f" {cell:<{width}} " for cell, width in zip(row, widths, strict=True)) + "|"
